//! Files that are sent: read up to a limit and no further, whether as a form or as a bare body.

use std::time::Duration;

use app::parties::imports::{FILE_MAX, ImportRefusal, Upload};
use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Query, Request, multipart::MultipartError},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use domain::refusal::Refusal as _;
use futures_util::StreamExt as _;
use serde::Deserialize;

use crate::Problem;

/// What a form adds around the file: boundaries, headers, other fields.
const AROUND: usize = 64 * 1024;
/// How long the rest of a refused file is read and thrown away. Somebody who is still sending does not read our answer,
/// and closing the connection on them loses it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Largest body of a route that takes a file, as the router is told.
pub const BODY_MAX: usize = FILE_MAX + AROUND;

#[derive(Debug, Deserialize)]
struct Named {
    file_name: Option<String>,
}

/// Reads the file of a request: the first file of a multipart form, or the body itself with `?file_name=`.
pub async fn receive(request: Request) -> Result<Upload, Problem> {
    let headers = request.headers();
    let announced = text(headers, &header::CONTENT_LENGTH).and_then(|v| v.parse::<usize>().ok());
    let waits = headers.contains_key(header::EXPECT);
    let form = text(headers, &header::CONTENT_TYPE).is_some_and(|t| t.starts_with("multipart/form-data"));
    if announced.is_some_and(|length| length > BODY_MAX) {
        if !waits {
            throw_away(request.into_body()).await;
        }
        return Err(too_big());
    }
    if form { from_form(request).await } else { from_body(request).await }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

async fn from_body(request: Request) -> Result<Upload, Problem> {
    let named = Query::<Named>::try_from_uri(request.uri()).ok().and_then(|query| query.0.file_name);
    let mut stream = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| broken_off())?;
        if bytes.len() + chunk.len() > FILE_MAX {
            throw_away(Body::from_stream(stream)).await;
            return Err(too_big());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Upload { file_name: named.unwrap_or_default(), bytes })
}

async fn from_form(request: Request) -> Result<Upload, Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::malformed("上传的表单不完整，请重新选择文件再传"))?;
    while let Some(mut field) = form.next_field().await.map_err(refused)? {
        let Some(file_name) = field.file_name().map(str::to_owned) else { continue };
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(refused)? {
            if bytes.len() + chunk.len() > FILE_MAX {
                return Err(too_big());
            }
            bytes.extend_from_slice(&chunk);
        }
        if bytes.is_empty() && file_name.is_empty() {
            return Err(Problem::invalid("file_missing", "还没有选文件，请先选择要导入的表格"));
        }
        return Ok(Upload { file_name, bytes });
    }
    Err(Problem::invalid("file_missing", "表单里没有文件，请用名为 file 的字段上传"))
}

async fn throw_away(body: Body) {
    let mut stream = body.into_data_stream();
    let all = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = tokio::time::timeout(PATIENCE, all).await;
}

fn refused(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { too_big() } else { broken_off() }
}

fn broken_off() -> Problem {
    Problem::malformed("文件没有传完整，请检查网络后重新上传")
}

fn too_big() -> Problem {
    let refusal = ImportRefusal::TooBig { megabytes: FILE_MAX / (1024 * 1024) };
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, refusal.code(), refusal.to_string())
}
