//! The evidence log.

use app::evidence::{self, Entry};
use axum::extract::{Query, State};
use domain::time::At;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cursor, Listing, parsed_number};
use crate::{App, Reply, Signed};

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Position in the log.
    seq: String,
    /// When.
    #[schema(value_type = String)]
    at: At,
    /// Account.
    by: String,
    /// In which role.
    role: String,
    /// What happened.
    act: String,
    /// To what.
    subject: String,
    /// Where.
    region: String,
    /// What changed.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<Entry> for EntryView {
    fn from(e: Entry) -> EntryView {
        EntryView {
            seq: e.seq.to_string(),
            at: e.at,
            by: e.by.to_string(),
            role: e.role,
            act: e.act,
            subject: e.subject.to_string(),
            region: e.region.to_string(),
            detail: serde_json::from_str(&e.detail).unwrap_or(serde_json::Value::String(e.detail)),
        }
    }
}

/// Which entries to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct EvidenceQuery {
    /// Only of this thing, oldest first; the latest of everything when not given.
    subject: Option<String>,
}

/// What happened, to one thing or of late.
#[utoipa::path(get, path = "/api/v1/evidence", tag = "evidence", params(EvidenceQuery, Cursor),
    responses((status = 200, body = Listing<EntryView>)))]
pub async fn index(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<EvidenceQuery>,
    cursor: Cursor,
) -> Reply<Listing<EntryView>> {
    let (subject, actor) = (parsed_number(query.subject.as_deref(), "subject")?, signed.actor());
    let entries = app
        .read(move |tx, _| match subject {
            Some(subject) => evidence::trail(tx, &actor, subject),
            None => evidence::recent(tx, &actor, cursor.after, cursor.limit() + 1),
        })
        .await?;
    if subject.is_some() {
        return Ok(Listing { items: entries.into_iter().map(EntryView::from).collect(), next: None });
    }
    Ok(Listing::page(entries, cursor.limit(), |e| e.seq, EntryView::from))
}
