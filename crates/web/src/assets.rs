//! The stylesheet, scripts and icons, embedded in the binary.

use std::sync::OnceLock;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// A digest over all assets: a new build makes new URLs.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut names: Vec<_> = Dist::iter().collect();
        names.sort();
        let hashes: Vec<[u8; 32]> =
            names.iter().filter_map(|n| Dist::get(n)).map(|f| f.metadata.sha256_hash()).collect();
        let parts: Vec<&[u8]> = hashes.iter().map(|h| &h[..]).collect();
        app::store::digest(&parts)[..6].iter().map(|b| format!("{b:02x}")).collect()
    })
}

/// The URL of an asset.
pub fn url(name: &str) -> String {
    format!("/assets/{name}?v={}", version())
}

/// The worker of the carer's phone; it must stand at the root to keep pages below `/carer`.
pub(crate) async fn worker(headers: HeaderMap) -> Response {
    let mut response = show(Path("sw.js".to_owned()), headers).await;
    // A browser must hear of a new one at once.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

pub(crate) async fn show(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = Dist::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", version());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "public, max-age=604800".to_owned()),
        (header::ETAG, tag),
    ];
    (headers, file.data).into_response()
}
