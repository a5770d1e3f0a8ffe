//! One place where an answer becomes a page or JSON: refusals speak to people, faults are logged once.

use app::{
    outcome::No,
    store::{Fault, FaultKind},
};
use askama::Template;
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    access::Forbidden,
    refusal::{Refusal, RefusalKind},
};
use serde::Serialize;

/// Longest refusal in plain text that is passed on.
const SAID_MAX: usize = 16 * 1024;

/// The answer of a handler.
pub type Reply<T = Response> = Result<T, Problem>;

/// A problem as RFC 9457 has it; shown as a page to browsers (see `page::problems`).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable name for programs.
    pub code: String,
    /// What happened and what to do next, in Chinese.
    pub title: String,
    /// More, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem with this status, name and sentence.
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Problem {
        Problem { status: status.as_u16(), code: code.to_owned(), title: title.into(), detail: None }
    }

    /// What was sent does not parse: 400.
    pub fn malformed(title: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", title)
    }

    /// What was sent parses but makes no sense: 422.
    pub fn invalid(code: &str, title: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
    }

    /// Nobody is signed in.
    pub fn signed_out() -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "signed_out", "请先登录")
    }

    /// No such thing, or none this actor may see.
    pub fn not_found() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "没有找到。可能已被删除、编号有误，或不在您的管辖范围内",
        )
    }

    /// What an answer says that has only a status.
    pub fn of_status(status: StatusCode) -> Problem {
        let (code, title) = match status {
            StatusCode::BAD_REQUEST => ("malformed", "地址或内容不对：缺少必填的项，或格式不对"),
            StatusCode::NOT_FOUND => return Problem::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "请求内容超过大小限制，请分批或压缩后再传"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "内容类型（Content-Type）不对：接口收 application/json，页面收表单",
            ),
            StatusCode::UNPROCESSABLE_ENTITY => ("invalid", "内容缺少必填的项，或类型不对"),
            _ => ("refused", "请求没有被接受"),
        };
        Problem::new(status, code, title)
    }

    /// The status as HTTP has it.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl<R: Refusal> From<No<R>> for Problem {
    fn from(no: No<R>) -> Problem {
        match no {
            No::Refused(r) => {
                let status = match r.kind() {
                    RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                    RefusalKind::Conflict => StatusCode::CONFLICT,
                };
                Problem::new(status, r.code(), r.to_string())
            }
            No::Forbidden(forbidden) => forbidden.into(),
            No::NotFound => Problem::not_found(),
            No::Fault(fault) => fault.into(),
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(forbidden: Forbidden) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", forbidden.to_string())
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        tracing::error!(%fault, "a request could not be answered");
        match fault.kind {
            FaultKind::Full => Problem::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "disk_full",
                "服务器磁盘已满，本次操作没有保存，请联系管理员",
            ),
            FaultKind::Conflict | FaultKind::Busy => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "系统繁忙，本次操作没有保存，请稍后重试",
            ),
            _ => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "fault",
                "系统出错，本次操作没有保存。我们已记录，请稍后重试",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let kept = self.clone();
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The page layer turns it into a page when a browser asked.
        response.extensions_mut().insert(kept);
        response
    }
}

/// A refusal in plain text is that of the server's own parts, who speak English to programmers: it becomes a problem,
/// so that programs read the format they know and people a page in their language.
pub(crate) async fn spoken(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/plain"));
    if !plain || !response.status().is_client_error() || response.extensions().get::<Problem>().is_some() {
        return response;
    }
    let status = response.status();
    let said = axum::body::to_bytes(response.into_body(), SAID_MAX).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let detail = Some(said).filter(|said| !said.is_empty());
    Problem { detail, ..Problem::of_status(status) }.into_response()
}

/// A rendered template.
#[derive(Debug)]
pub struct Html<T>(pub T);

impl<T: Template> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(body) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response(),
            Err(error) => Problem::from(Fault::other(format!("template: {error}"))).into_response(),
        }
    }
}

/// "Saved; look there": the answer of a form.
pub fn see(url: impl AsRef<str>) -> Response {
    Redirect::to(url.as_ref()).into_response()
}
