//! Forms that come back with what was typed and what is wrong with it.

use app::outcome::No;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::refusal::Refusal;
use std::fmt::Display;

use crate::{Html, Problem};

/// A mistake, at the field it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    /// Id of the input.
    pub(crate) field: &'static str,
    /// What is wrong, and what to do.
    pub(crate) text: String,
}

impl Mistake {
    pub(crate) fn new(field: &'static str, text: impl Display) -> Mistake {
        Mistake { field, text: text.to_string() }
    }
}

/// The mistake at a field; empty when there is none.
pub(crate) fn wrong<'a>(mistakes: &'a [Mistake], field: &str) -> &'a str {
    mistakes.iter().find(|m| m.field == field).map_or("", |m| &m.text)
}

/// A refusal as a mistake at the field it belongs to; anything else stays a problem.
pub(crate) fn mistake<R: Refusal>(no: No<R>, field: impl Fn(&R) -> &'static str) -> Result<Mistake, Problem> {
    match no {
        No::Refused(refusal) => Ok(Mistake::new(field(&refusal), &refusal)),
        other => Err(other.into()),
    }
}

/// A page that shows a form again.
pub(crate) fn again<T: askama::Template>(page: T) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response()
}

/// An answer that sets a cookie.
pub(crate) fn with_cookie(cookie: String, response: Response) -> Response {
    ([(header::SET_COOKIE, cookie)], response).into_response()
}
