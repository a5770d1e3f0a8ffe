//! What all JSON routes share.

use app::{
    idempotency,
    outcome::{No, Outcome},
    store::{Fault, Tx, digest},
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Query, Request, rejection::BytesRejection},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use domain::{access::Actor, refusal::Refusal, time::Now};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{App, Problem, Reply, Signed};

/// Longest idempotency key.
const KEY_MAX: usize = 128;

/// A parsed JSON body with the key under which it must happen once. An extractor.
#[derive(Debug)]
pub struct Call<B> {
    body: B,
    /// The key with the digest of what it was sent with.
    once: Option<(String, [u8; 32])>,
}

impl<B: DeserializeOwned> FromRequest<App> for Call<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Call<B>, Problem> {
        let key = request
            .headers()
            .get("idempotency-key")
            .map(|v| v.to_str().map(str::to_owned).map_err(|_| bad_key()))
            .transpose()?;
        if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > KEY_MAX) {
            return Err(bad_key());
        }
        let path = request.uri().path().to_owned();
        let bytes = Bytes::from_request(request, app).await.map_err(too_large)?;
        // No body at all means an empty object: many commands ask for nothing beyond their address.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let body = serde_json::from_slice(text).map_err(|e| {
            let mut problem = Problem::malformed("请求内容不是有效的 JSON，或缺少字段、类型不对");
            problem.detail = Some(e.to_string());
            problem
        })?;
        let once = key.map(|key| (key, digest(&[path.as_bytes(), &bytes])));
        Ok(Call { body, once })
    }
}

fn bad_key() -> Problem {
    Problem::malformed("Idempotency-Key 应为 1 到 128 个可见字符")
}

fn too_large(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(status),
        _ => Problem::malformed("请求内容没有传完"),
    }
}

/// The answer of a command: 200 with its result.
#[derive(Debug, Clone, Copy)]
pub struct Done;

/// The answer of a command that made something: 201.
#[derive(Debug, Clone, Copy)]
pub struct Created;

/// Which success status a command answers with.
pub trait Success: Copy + Send + 'static {
    /// The status.
    const STATUS: StatusCode;
}

impl Success for Done {
    const STATUS: StatusCode = StatusCode::OK;
}

impl Success for Created {
    const STATUS: StatusCode = StatusCode::CREATED;
}

impl<B: Send + Sync + 'static> Call<B> {
    /// The body.
    pub fn body(&self) -> &B {
        &self.body
    }

    /// Runs a command once: a repeated key with the same body gets the first answer, with another body a refusal.
    pub async fn run<S, T, R>(
        self,
        app: &App,
        signed: &Signed,
        _: S,
        work: impl Fn(&mut Tx<'_>, &Actor, &B, Now) -> Outcome<T, R> + Send + 'static,
    ) -> Reply
    where
        S: Success,
        T: Serialize + 'static,
        R: Refusal,
    {
        let actor = signed.actor();
        let answer = app
            .write(move |tx, now| {
                let Some((key, hash)) = &self.once else {
                    let made = work(tx, &actor, &self.body, now).map_err(|no| no.map(Once::Refused))?;
                    return Ok((S::STATUS.as_u16(), text(&made)?));
                };
                if let Some(kept) = idempotency::find(tx, actor.account, key)? {
                    return if kept.request_hash == *hash {
                        Ok((u16::try_from(kept.status).unwrap_or(200), kept.body))
                    } else {
                        Err(No::Refused(Once::OtherBody))
                    };
                }
                let made = work(tx, &actor, &self.body, now).map_err(|no| no.map(Once::Refused))?;
                let body = text(&made)?;
                idempotency::keep(tx, actor.account, key, *hash, S::STATUS.as_u16().into(), &body, now)?;
                Ok((S::STATUS.as_u16(), body))
            })
            .await;
        match answer {
            Ok((status, body)) => Ok(json(StatusCode::from_u16(status).unwrap_or(S::STATUS), body)),
            Err(No::Refused(Once::OtherBody)) => Err(Problem::invalid(
                "idempotency_key_reused",
                "同一个 Idempotency-Key 已用于内容不同的请求，请换一个",
            )),
            Err(No::Refused(Once::Refused(r))) => Err(No::Refused(r).into()),
            Err(No::Forbidden(x)) => Err(x.into()),
            Err(No::NotFound) => Err(Problem::not_found()),
            Err(No::Fault(fault)) => Err(fault.into()),
        }
    }
}

enum Once<R> {
    Refused(R),
    OtherBody,
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    Ok(serde_json::to_string(value)?)
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(axum::http::header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Where a page of a list begins and how long it is. An extractor.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Cursor {
    /// The `next` of the page before; nothing for the first.
    #[serde(default)]
    pub after: Option<i64>,
    /// 1 to 200; 50 when not given.
    #[serde(default)]
    pub limit: Option<i64>,
}

impl Cursor {
    /// How many to give.
    pub fn limit(self) -> i64 {
        self.limit.unwrap_or(50).clamp(1, 200)
    }
}

impl axum::extract::FromRequestParts<App> for Cursor {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &App,
    ) -> Result<Cursor, Problem> {
        Query::<Cursor>::from_request_parts(parts, app)
            .await
            .map(|q| q.0)
            .map_err(|_| Problem::malformed("after 与 limit 应为数字"))
    }
}

/// Refuses a query with a name the address does not know, or with one twice: a misspelt filter must not be answered
/// with everything.
pub(crate) fn known_names(uri: &Uri, names: &[String]) -> Result<(), Problem> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(Problem::malformed("地址里 ? 后面的内容读不出来"));
    };
    for (at, (name, _)) in pairs.iter().enumerate() {
        let shown: String = name.chars().take(40).collect();
        if !names.contains(name) {
            let known = if names.is_empty() { "没有".to_owned() } else { names.join("、") };
            let sentence = format!("不认识的查询条件 {shown}；这里可用的：{known}");
            return Err(Problem { code: "unknown_query".to_owned(), ..Problem::malformed(sentence) });
        }
        if pairs[..at].iter().any(|(other, _)| other == name) {
            return Err(Problem::malformed(format!("查询条件 {shown} 写了两次，请只写一次")));
        }
    }
    Ok(())
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Listing<T> {
    /// A page of `limit` out of up to `limit + 1` found, with the cursor of the next one where there is more.
    pub fn page<F>(
        mut found: Vec<F>,
        limit: i64,
        key: impl Fn(&F) -> i64,
        view: impl Fn(F) -> T,
    ) -> Listing<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| key(last).to_string());
        Listing { items: found.into_iter().map(view).collect(), next }
    }
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
