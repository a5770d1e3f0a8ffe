//! The clerk's imports: drop a file, look at what was found, accept it. Everything works by plain forms; where scripts
//! run, the progress follows by itself.

mod view;

use std::collections::BTreeMap;

use app::parties::{
    imports::{self, Choice, Import, ImportRefusal, Layout, State as Stands},
    sheet::Field,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use domain::{ids::ImportId, time::Now};
use serde::Deserialize;

use crate::{
    App, Html, Page, Problem, Reply, Signed,
    api::imports::{blocking, download},
    filters, see, see_with, upload,
};
use view::{Card, Choosable, ColumnChoice, Pages, Shown};

/// Imports on one page of the list.
const A_PAGE: i64 = 20;

#[derive(Template)]
#[template(path = "imports/index.html")]
struct Index {
    page: Page,
    imports: Vec<Card>,
    older: Option<String>,
    file_max: usize,
}

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub struct Before {
    before: Option<String>,
}

/// The drop zone and what was imported so far.
pub async fn index(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(query): Query<Before>,
) -> Reply<Html<impl Template>> {
    let (actor, now) = (signed.actor(), app.now());
    let before = query.before.and_then(|id| id.parse::<ImportId>().ok());
    let mut found = app.read(move |tx, _| imports::list(tx, &actor, before, A_PAGE + 1)).await?;
    let more = found.len() as i64 > A_PAGE;
    found.truncate(A_PAGE as usize);
    let older = found.last().filter(|_| more).map(|last| format!("/imports?before={}", last.id));
    Ok(Html(Index {
        page: page.titled("导入名单", "imports"),
        imports: found.into_iter().map(|import| Card::of(import, now)).collect(),
        older,
        file_max: imports::FILE_MAX,
    }))
}

/// Takes a file.
pub async fn create(State(app): State<App>, signed: Signed, request: Request) -> Reply {
    let upload = upload::receive(request).await?;
    let (store, actor, now) = (app.store().clone(), signed.actor(), app.now());
    let id = blocking(move || Ok(imports::start(&store, &actor, &upload, now)?)).await?;
    Ok(see(format!("/imports/{id}")))
}

/// The empty list to fill.
pub async fn template() -> Reply {
    Ok(download(imports::template()?))
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct Show {
    page: Page,
    import: Card,
    lines: Vec<Shown>,
    pages: Pages,
    columns: Vec<ColumnChoice>,
    sheets: Vec<Choosable>,
    header_rows: String,
    unclear: bool,
}

/// Which page of the rows.
#[derive(Debug, Deserialize)]
pub struct Rows {
    page: Option<i64>,
}

/// One import: how far it is, what was found, what came of it.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
    Query(query): Query<Rows>,
) -> Reply<Html<impl Template>> {
    let (id, actor, now) = (parse(&id)?, signed.actor(), app.now());
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000) - 1;
    let (import, (lines, pages), layout) = app
        .read(move |tx, _| {
            let import = imports::find(tx, &actor, id)?;
            let lines = imports::lines(tx, &actor, id, at)?;
            Ok::<_, app::outcome::No<ImportRefusal>>((import, lines, imports::layout(tx, &actor, id)?))
        })
        .await?;
    Ok(Html(shown(page, import, (lines, at, pages), layout.unwrap_or_default(), now)))
}

fn shown(
    page: Page,
    import: Import,
    (lines, at, pages): (Vec<imports::Line>, i64, i64),
    layout: Layout,
    now: Now,
) -> Show {
    let ready = import.state == Stands::Ready;
    let header_rows: Vec<String> = layout.header_rows.iter().map(u32::to_string).collect();
    let unclear = import.code == "header_unknown";
    let import = Card::of(import, now);
    Show {
        page: page.titled("导入名单", "imports"),
        pages: Pages::of(&import.id, at, pages),
        lines: lines.into_iter().map(Shown::from).collect(),
        columns: if ready { view::columns(&layout) } else { Vec::new() },
        sheets: view::sheets(&layout),
        header_rows: header_rows.join("、"),
        unclear,
        import,
    }
}

#[derive(Template)]
#[template(path = "imports/progress.html")]
struct Progress {
    page: Page,
    import: Card,
}

/// The progress alone; once the step is over the whole page is asked for.
pub async fn progress(State(app): State<App>, page: Page, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor, now) = (parse(&id)?, signed.actor(), app.now());
    let import = app.read(move |tx, _| imports::find(tx, &actor, id)).await?;
    if !import.state.running() {
        return Ok(([("hx-refresh", "true")], "").into_response());
    }
    Ok(Html(Progress { page, import: Card::of(import, now) }).into_response())
}

#[derive(Template)]
#[template(path = "imports/tray.html")]
struct Tray {
    page: Page,
    imports: Vec<Card>,
    again: Option<String>,
}

/// Which imports the corner showed a moment ago.
#[derive(Debug, Deserialize)]
pub struct Was {
    was: Option<String>,
}

/// What runs, for the corner of every page; and, once, what has just come of it.
pub async fn tray(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    headers: HeaderMap,
    Query(query): Query<Was>,
) -> Reply {
    let (actor, now) = (signed.actor(), app.now());
    let was = query.was.unwrap_or_default();
    let was: Vec<ImportId> = was.split('-').take(5).filter_map(|id| id.parse().ok()).collect();
    let mut found = app
        .read(move |tx, _| {
            let mut all = imports::running(tx, &actor)?;
            for id in &was {
                if !all.iter().any(|import| import.id == *id) {
                    match imports::find(tx, &actor, *id) {
                        Ok(import) => all.push(import),
                        Err(app::outcome::No::Fault(fault)) => return Err(app::outcome::No::Fault(fault)),
                        Err(_) => {}
                    }
                }
            }
            Ok::<_, app::outcome::No<app::outcome::Never>>(all)
        })
        .await?;
    // The page of an import tells about it itself.
    let here = headers.get("hx-current-url").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let here = here.split(['?', '#']).next().unwrap_or_default();
    found.retain(|import| !here.ends_with(&format!("/imports/{}", import.id)));
    let ids: Vec<String> =
        found.iter().filter(|import| import.state.running()).map(|import| import.id.to_string()).collect();
    if found.is_empty() {
        return Ok(().into_response());
    }
    let again = (!ids.is_empty()).then(|| format!("/imports/tray?was={}", ids.join("-")));
    let imports = found.into_iter().map(|import| Card::of(import, now)).collect();
    Ok(Html(Tray { page, imports, again }).into_response())
}

/// Says what the columns mean; the file is read again.
pub async fn columns(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Reply {
    let (id, actor) = (parse(&id)?, signed.actor());
    let mut choice = Choice::default();
    let mut columns = BTreeMap::new();
    let mut other_sheet = false;
    for (name, value) in form {
        if let Some(index) = name.strip_prefix("column-").and_then(|n| n.parse::<u32>().ok()) {
            columns.insert(index, Field::from_code(&value));
        } else if name == "sheet" && !value.is_empty() {
            choice.sheet = Some(value);
        } else if name == "sheet-was" {
            other_sheet = choice.sheet.as_ref().is_some_and(|sheet| *sheet != value);
        }
    }
    // Columns of one sheet say nothing about another's.
    if !other_sheet {
        choice.columns = columns;
    }
    app.write(move |tx, now| imports::choose(tx, &actor, id, &choice, now)).await?;
    Ok(see(format!("/imports/{id}")))
}

/// Lets what was found be stored.
pub async fn acceptance(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor) = (parse(&id)?, signed.actor());
    app.write(move |tx, now| imports::accept(tx, &actor, id, now)).await?;
    Ok(see(format!("/imports/{id}")))
}

/// Stops an import.
pub async fn cancellation(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor, now) = (parse(&id)?, signed.actor(), app.now());
    let import = app.write(move |tx, now| imports::cancel(tx, &actor, id, now)).await?;
    Ok(cancelled(import, now))
}

fn cancelled(import: Import, now: Now) -> Response {
    let (id, stored) = (import.id, import.accepted_at.is_some());
    let sum = Card::of(import, now).sum;
    let text = if stored {
        format!("已停止。已保存的保留：{sum}")
    } else {
        "已取消，没有保存任何内容".into()
    };
    see_with(&format!("/imports/{id}"), &text, None)
}

/// The clerk's own file with what is wrong in it.
pub async fn errors(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let (id, actor, store) = (parse(&id)?, signed.actor(), app.store().clone());
    Ok(download(blocking(move || Ok(imports::file_back(&store, &actor, id)?)).await?))
}

fn parse(id: &str) -> Reply<ImportId> {
    id.parse().map_err(|_| Problem::not_found())
}
