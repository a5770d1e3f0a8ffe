//! Imports of lists, for programs.

use app::{
    idempotency,
    parties::imports::{self, FileBack, Import, Line, LineFault},
    store::{Fault, digest},
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    ids::ImportId,
    time::{At, Now},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Call, Cursor, Done, Listing, orders::Nothing};
use crate::{App, Problem, Reply, Signed, page::encode, upload};

/// An import as programs see it. While `ready` the counts foretell, afterwards they tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// Id.
    #[schema(value_type = String)]
    pub id: ImportId,
    /// Name of the file.
    pub file_name: String,
    /// Size of the file.
    pub file_bytes: i64,
    /// Where it stands: reading, ready, storing, done, cancelled, failed.
    pub state: &'static str,
    /// Rows of the present step.
    pub rows_total: i64,
    /// Rows of the present step that are done.
    pub rows_done: i64,
    /// Seconds until the present step is done, once that can be told.
    pub seconds_left: Option<i64>,
    /// Rows that change the register: `added` and `changed`.
    pub accepted: i64,
    /// People who were not on the register.
    pub added: i64,
    /// People about whom the file says something new.
    pub changed: i64,
    /// People about whom the register says the same.
    pub unchanged: i64,
    /// Rows that cannot be taken.
    pub rejected: i64,
    /// Rows that are taken, with something to look at.
    pub warned: i64,
    /// Lines that are no people.
    pub skipped: i64,
    /// Why it failed, as a stable word; empty otherwise.
    pub code: String,
    /// The same as a sentence.
    pub message: String,
    /// Who sent it.
    pub created_by_name: String,
    /// When it came.
    #[schema(value_type = String)]
    pub created_at: At,
    /// When it was accepted.
    #[schema(value_type = Option<String>)]
    pub accepted_at: Option<At>,
}

impl ImportView {
    fn of(import: Import, now: Now) -> ImportView {
        let counts = import.counts;
        ImportView {
            id: import.id,
            state: import.state.code(),
            rows_total: import.rows_total,
            rows_done: import.rows_done,
            seconds_left: import.seconds_left(now).filter(|_| import.state.running()),
            accepted: counts.accepted(),
            added: counts.added,
            changed: counts.changed,
            unchanged: counts.unchanged,
            rejected: counts.rejected,
            warned: counts.warned,
            skipped: counts.skipped,
            file_name: import.file_name,
            file_bytes: import.file_bytes,
            code: import.code,
            message: import.message,
            created_by_name: import.created_by_name,
            created_at: import.created_at,
            accepted_at: import.accepted_at,
        }
    }
}

/// Something wrong in a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowErrorView {
    /// As numbered in the file, from 1.
    pub row: u32,
    /// Letters and title of the column, such as `C列 身份证号`; empty when it concerns the whole row.
    pub column: String,
    /// A stable word.
    pub code: String,
    /// What is wrong and how to repair it.
    pub message: String,
    /// Only worth a look: the row is taken.
    pub warning: bool,
}

impl RowErrorView {
    fn of(row: u32, fault: LineFault) -> RowErrorView {
        let LineFault { column, code, message, warning, .. } = fault;
        RowErrorView { row, column, code, message, warning }
    }
}

/// All that is wrong with a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowErrors {
    /// In the order of the file.
    pub errors: Vec<RowErrorView>,
}

/// Takes a file: `multipart/form-data` with a field `file`, or the file itself with `?file_name=`. It is read in the
/// background; nothing is stored before the acceptance.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(("file_name" = Option<String>, Query, description = "名单文件名，直接上传文件内容时给出")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = ImportView), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub async fn create(State(app): State<App>, signed: Signed, headers: HeaderMap, request: Request) -> Reply {
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).map(str::to_owned);
    if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 128) {
        return Err(Problem::malformed("Idempotency-Key 应为 1 到 128 个可见字符"));
    }
    let upload = upload::receive(request).await?;
    let (store, actor, now) = (app.store().clone(), signed.actor(), app.now());
    let taken = blocking(move || -> Reply<ImportView> {
        let hash = digest(&[upload.file_name.as_bytes(), &upload.bytes]);
        let (account, known) = (actor.account, key.clone());
        let kept = store.read(move |tx| match &known {
            Some(key) => idempotency::find(tx, account, key),
            None => Ok(None),
        })?;
        let id = match kept {
            Some(kept) if kept.request_hash != hash => {
                return Err(Problem::invalid(
                    "idempotency_key_reused",
                    "同一个 Idempotency-Key 已用于内容不同的请求，请换一个",
                ));
            }
            Some(kept) => kept.body.parse().map_err(|_| Problem::not_found())?,
            None => {
                let id = imports::start(&store, &actor, &upload, now)?;
                if let Some(key) = key {
                    store.write(move |tx| {
                        idempotency::keep(tx, account, &key, hash, 201, &id.to_string(), now)
                    })?;
                }
                id
            }
        };
        let found = store.read(move |tx| imports::find(tx, &actor, id))?;
        Ok(ImportView::of(found, now))
    })
    .await?;
    let place = format!("/api/v1/imports/{}", taken.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(taken)).into_response())
}

/// Imports within the token's regions, latest first.
#[utoipa::path(get, path = "/api/v1/imports", tag = "imports", params(Cursor),
    responses((status = 200, body = Listing<ImportView>)))]
pub async fn index(State(app): State<App>, signed: Signed, cursor: Cursor) -> Reply<Listing<ImportView>> {
    let (actor, now) = (signed.actor(), app.now());
    let found = app
        .read(move |tx, _| imports::list(tx, &actor, cursor.after.map(ImportId), cursor.limit() + 1))
        .await?;
    Ok(Listing::page(found, cursor.limit(), |i| i.id.0, |i| ImportView::of(i, now)))
}

/// One import.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = ImportView), (status = 404, body = Problem)))]
pub async fn show(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply<Json<ImportView>> {
    let (id, actor) = (parse(&id)?, signed.actor());
    let found = app.read(move |tx, _| imports::find(tx, &actor, id)).await?;
    Ok(Json(ImportView::of(found, app.now())))
}

/// Lets what was found be stored.
#[utoipa::path(post, path = "/api/v1/imports/{id}/acceptance", tag = "imports", params(("id" = String, Path)),
    request_body = Nothing,
    responses((status = 200, body = ImportView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn acceptance(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Nothing>,
) -> Reply {
    let id = parse(&id)?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| {
        imports::accept(tx, actor, id, now)?;
        Ok(ImportView::of(imports::find(tx, actor, id)?, now))
    })
    .await
}

/// Stops an import. What was stored stays; the counts say what that is.
#[utoipa::path(post, path = "/api/v1/imports/{id}/cancellation", tag = "imports", params(("id" = String, Path)),
    request_body = Nothing,
    responses((status = 200, body = ImportView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn cancellation(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    call: Call<Nothing>,
) -> Reply {
    let id = parse(&id)?;
    call.run(&app, &signed, Done, move |tx, actor, _, now| {
        Ok(ImportView::of(imports::cancel(tx, actor, id, now)?, now))
    })
    .await
}

/// What is wrong with the file: as JSON when that is asked for, otherwise the file itself with a column that says it.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = RowErrors), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn errors(
    State(app): State<App>,
    signed: Signed,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Reply {
    let (id, actor) = (parse(&id)?, signed.actor());
    let json = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"));
    if json {
        let lines = app.read(move |tx, _| imports::problems(tx, &actor, id)).await?;
        let of = |Line { row, faults, .. }| faults.into_iter().map(move |f| RowErrorView::of(row, f));
        return Ok(Json(RowErrors { errors: lines.into_iter().flat_map(of).collect() }).into_response());
    }
    let store = app.store().clone();
    let back = blocking(move || Ok(imports::file_back(&store, &actor, id)?)).await?;
    Ok(download(back))
}

fn parse(id: &str) -> Reply<ImportId> {
    id.parse().map_err(|_| Problem::not_found())
}

/// Runs what takes long and is no transaction.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Reply<T> + Send + 'static,
) -> Reply<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => Err(Problem::from(Fault::other(format!("a task broke down: {error}")))),
    }
}

/// A file to keep.
pub(crate) fn download(file: FileBack) -> Response {
    let kind = if file.name.ends_with(".csv") {
        "text/csv"
    } else {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    };
    let place = format!("attachment; filename*=UTF-8''{}", encode(&file.name).replace('/', "%2F"));
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, place)], file.bytes)
        .into_response()
}
