//! Opening what is masked, with a reason that is kept.

use app::{
    outcome::No,
    parties::people::{self, Field, RevealRefusal},
};
use axum::{
    Json,
    extract::{Path, State},
};
use domain::ids::{ContactId, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{App, Problem, Reply, Signed};

/// What to open, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DisclosureBody {
    /// id_no, phone, address, bank_card, health, door_code or contact_phone.
    field: String,
    /// Whose phone, for contact_phone.
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// Why; kept, and shown to whoever asks who looked.
    reason: String,
}

/// An open value.
#[derive(Debug, Serialize, ToSchema)]
pub struct DisclosureView {
    /// Which.
    pub field: String,
    /// The value.
    pub value: String,
}

/// Opens a masked value. A repeated call is a second look and is kept as one.
#[utoipa::path(post, path = "/api/v1/people/{id}/disclosures", tag = "people", params(("id" = String, Path)),
    request_body = DisclosureBody,
    responses((status = 200, body = DisclosureView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn disclose(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    Json(body): Json<DisclosureBody>,
) -> Reply<Json<DisclosureView>> {
    let field = Field::from_code(&body.field, body.contact).ok_or_else(|| {
        Problem::malformed("field 应为 id_no、phone、address、bank_card、health、door_code 或 contact_phone")
    })?;
    let actor = signed.actor();
    let value = app
        .write(move |tx, now| {
            // A program gives a reason each time; an empty one is not "the same as before".
            let reason = Some(body.reason.trim()).filter(|r| !r.is_empty());
            let reason = reason.ok_or(No::Refused(RevealRefusal::Reason))?;
            people::reveal(tx, &actor, id, field, Some(reason), now)
        })
        .await?;
    Ok(Json(DisclosureView { field: field.code().to_owned(), value }))
}
