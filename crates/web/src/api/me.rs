//! Who is asking.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Signed;

/// The account and post behind the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Account.
    account: String,
    /// Display name.
    name: String,
    /// Role, as its code.
    role: String,
    /// First region code one may see.
    region_from: String,
    /// Last region code one may see.
    region_to: String,
    /// The only provider one acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The carer one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    carer: Option<String>,
    /// What the role may do.
    acts: Vec<&'static str>,
}

/// Who one is, in which role, over which regions.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = Me)))]
pub async fn show(signed: Signed) -> Json<Me> {
    let actor = signed.actor();
    Json(Me {
        account: actor.account.to_string(),
        name: actor.name.clone(),
        role: actor.role.code().to_owned(),
        region_from: format!("{:012}", actor.range.lo),
        region_to: format!("{:012}", actor.range.hi),
        provider: actor.provider.map(|p| p.to_string()),
        carer: actor.carer.map(|c| c.to_string()),
        acts: actor.role.acts().iter().map(|act| act.code()).collect(),
    })
}
