//! While an order is dragged: whom it fits and whom not, and why, from the same judgement as the list of candidates.

use app::{
    orders::{self, Candidate},
    outcome::No,
};
use axum::{
    Json,
    extract::{Path, State},
};
use domain::{ids::OrderId, orders::OrderRefusal};
use serde::Serialize;

use super::lanes;
use crate::{App, Page, Problem, Reply, Signed, text::translate};

/// Reasons told of somebody it fits; the list on the right tells all.
const REASONS: usize = 2;

/// An order in the hand of a dispatcher.
#[derive(Debug, Serialize)]
pub struct Fits {
    day: String,
    /// Where it stands on a lane of its day.
    place: String,
    /// Two go together, which is chosen in fields.
    two: bool,
    carers: Vec<Fit>,
}

/// One carer for it.
#[derive(Debug, Serialize)]
struct Fit {
    carer: String,
    fits: bool,
    why: String,
}

/// `GET /dispatch/{order}/fits`
pub async fn fits(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
) -> Reply<Json<Fits>> {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found())?;
    let (actor, lang) = (signed.actor(), page.lang);
    let fits = app
        .read(move |tx, now| {
            let sheet = orders::sheet(tx, &actor, id)?;
            let day = sheet.order.start_at.day();
            let candidates = orders::candidates(tx, &actor, id, now)?;
            Ok::<_, No<OrderRefusal>>(Fits {
                day: day.to_string(),
                place: lanes::place(sheet.order.start_at, sheet.order.end_at, day).unwrap_or_default(),
                two: sheet.item.workers > 1,
                carers: candidates.iter().map(|c| fit(c, lang)).collect(),
            })
        })
        .await?;
    Ok(Json(fits))
}

fn fit(candidate: &Candidate, lang: &str) -> Fit {
    let told = |side: &str, most: usize| {
        let of_side = candidate.reasons.iter().filter(|r| r.side == side).take(most);
        of_side.map(|r| translate(&r.text, lang).into_owned()).collect::<Vec<_>>().join("；")
    };
    let why = if candidate.allowed { told("for", REASONS) } else { told("forbids", 1) };
    Fit { carer: candidate.carer.to_string(), fits: candidate.allowed, why }
}
