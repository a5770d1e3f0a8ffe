//! A step as a phone sends it: at once, or a day later when there is a network again, and perhaps twice.

use std::collections::HashMap;

use app::{
    idempotency,
    outcome::{No, Outcome},
    store::{Tx, digest},
};
use axum::{
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{HeaderMap, StatusCode, header},
};
use domain::{
    access::Actor,
    orders::Fix,
    time::{At, Now},
};

use crate::{App, Problem, Signed};

/// Longest key of a step; phones send 36 characters.
const KEY_MAX: usize = 128;
/// Most photographs in one step.
const PHOTOS_MAX: usize = 4;

/// The fields of a step and its photographs. An extractor for plain and for multipart forms.
#[derive(Debug, Default)]
pub struct Step {
    fields: HashMap<String, Vec<String>>,
    /// Photographs as they came.
    pub photos: Vec<Vec<u8>>,
    /// A script is asking: it wants a refusal as a sentence, not as a page.
    pub script: bool,
    path: String,
}

impl FromRequest<App> for Step {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Step, Problem> {
        let mut step = Step {
            script: request.headers().contains_key("hx-request"),
            path: request.uri().path().to_owned(),
            ..Step::default()
        };
        if !is_multipart(request.headers()) {
            let pairs = axum::Form::<Vec<(String, String)>>::from_request(request, app)
                .await
                .map_err(|_| Problem::malformed("表单没有传完，请重试"))?;
            for (name, value) in pairs.0 {
                step.fields.entry(name).or_default().push(value);
            }
            return Ok(step);
        }
        let mut parts = Multipart::from_request(request, app)
            .await
            .map_err(|_| Problem::malformed("表单没有传完，请重试"))?;
        while let Some(part) = parts.next_field().await.map_err(unread)? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_none() {
                step.fields.entry(name).or_default().push(part.text().await.map_err(unread)?);
                continue;
            }
            let bytes = part.bytes().await.map_err(unread)?;
            // An empty file field is what a browser sends when nothing was chosen.
            if !bytes.is_empty() {
                step.photos.push(bytes.to_vec());
            }
            if step.photos.len() > PHOTOS_MAX {
                return Err(Problem::invalid("too_many_photos", "一次最多上传 4 张照片"));
            }
        }
        Ok(step)
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"multipart/form-data"))
}

fn unread(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "照片太大，请用手机相机重拍或减少张数")
    } else {
        Problem::malformed("照片没有传完，请重试")
    }
}

impl Step {
    /// The first value of a field, trimmed.
    pub fn text(&self, name: &str) -> &str {
        self.all(name).first().map_or("", |v| v.trim())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> &[String] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }

    /// When it was made by the phone's own clock; now, for a page without script.
    pub fn device_at(&self, now: Now) -> At {
        At::parse(self.text("device_time")).unwrap_or(now.0)
    }

    /// Where the phone was, if it knew.
    pub fn fix(&self) -> Option<Fix> {
        let number = |name: &str| self.text(name).parse::<f64>().ok();
        let fix = Fix { lon: number("lng")?, lat: number("lat")?, accuracy: number("accuracy")? };
        Some(fix)
    }

    /// Runs the step once: sent again under the same key it is what it was.
    pub async fn once<R: Send + 'static>(
        &self,
        app: &App,
        signed: &Signed,
        work: impl Fn(&mut Tx<'_>, &Actor, Now) -> Outcome<String, R> + Send + 'static,
    ) -> Outcome<String, R> {
        let actor = signed.actor();
        let key = Some(self.text("client_key")).filter(|k| !k.is_empty() && k.len() <= KEY_MAX);
        let key = key.map(str::to_owned);
        let hash = digest(&[self.path.as_bytes()]);
        app.write(move |tx, now| {
            let Some(key) = &key else { return work(tx, &actor, now) };
            if let Some(kept) = idempotency::find(tx, actor.account, key)? {
                // The same key for another step is a broken phone, and no answer fits it.
                return if kept.request_hash == hash { Ok(kept.body) } else { Err(No::NotFound) };
            }
            let said = work(tx, &actor, now)?;
            idempotency::keep(tx, actor.account, key, hash, 303, &said, now)?;
            Ok(said)
        })
        .await
    }
}
