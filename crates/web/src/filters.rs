//! Filters the templates use.

use std::fmt::Display;

use askama::Values;

/// The text in the language of the page: `{{ "退出"|t(page.lang) }}`.
#[askama::filter_fn]
pub fn t(text: impl Display, _: &dyn Values, lang: &str) -> askama::Result<String> {
    Ok(crate::text::translate(&text.to_string(), lang).into_owned())
}

/// The URL of a built asset, with a version so that browsers keep it: `{{ "xiyang.css"|asset }}`.
#[askama::filter_fn]
pub fn asset(name: impl Display, _: &dyn Values) -> askama::Result<String> {
    Ok(crate::assets::url(&name.to_string()))
}
