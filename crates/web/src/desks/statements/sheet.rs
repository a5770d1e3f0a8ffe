//! One statement: sums that open their rows, signatures, paper and file.

use app::ledger::statements::{self, Sheet, Signature, State as Standing, Statement};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::IntoResponse,
};
use domain::{access::Act, money::Fen, orders::Earned, parties::mask};

use super::{Chip, chip, id_of};
use crate::{App, Html, Page, Reply, Signed, filters};

struct Step {
    what: &'static str,
    who: String,
    at: String,
    why: String,
}

struct Line {
    order: String,
    day: String,
    service: String,
    /// Why it is paid, where that is no visit.
    reason: &'static str,
    person: String,
    minutes: i64,
    price: Fen,
    funded: Fen,
    own: Fen,
    /// Whether the provider has taken the elder's part, and who noted it; empty when there is none.
    collected: String,
}

#[derive(Template)]
#[template(path = "statements/show.html")]
struct Show {
    page: Page,
    sheet: Sheet,
    chip: Chip,
    steps: Vec<Step>,
    lines: Vec<Line>,
    adds_up: bool,
    minutes: i64,
    as_of: String,
    may_check: bool,
    may_pay: bool,
    may_send_back: bool,
    /// Why the next step is not this person's, in words.
    waiting: &'static str,
}

fn step(what: &'static str, by: &Signature, why: &str) -> Step {
    Step { what, who: by.name.clone(), at: by.at.minute(), why: why.to_owned() }
}

fn steps(s: &Statement) -> Vec<Step> {
    let mut steps = vec![step("制单", &s.made, "")];
    steps.extend(s.checked.as_ref().map(|by| step("复核", by, "")));
    steps.extend(s.paid.as_ref().map(|by| step("支付", by, "")));
    steps.extend(s.returned.as_ref().map(|(by, why)| step("退回", by, why)));
    steps
}

/// Name of an elder as paper and file show it.
fn line(l: &statements::Line) -> Line {
    Line {
        order: l.order.to_string(),
        day: l.start_at.minute(),
        service: format!("{} {}", l.service, l.service_name),
        reason: if l.kind == Earned::Visit { "" } else { l.kind.label() },
        person: mask::name(&l.person_name),
        minutes: l.minutes.0,
        price: l.price,
        funded: l.price - l.own,
        own: l.own,
        collected: match &l.collected {
            Some((at, who)) => format!("已收 {} {who}", at.minute()),
            None if l.own > Fen::ZERO => "未收".to_owned(),
            None => String::new(),
        },
    }
}

/// The statement's page, which prints as a paper.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(id): Path<String>,
) -> Reply<Html<impl Template>> {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let me = actor.account;
    let (checks, pays) = (actor.may(Act::ApproveMoney).is_ok(), actor.may(Act::PayMoney).is_ok());
    let sheet = app.read(move |tx, _| statements::sheet(tx, &actor, id)).await?;
    let s = &sheet.statement;
    let page = page.titled(&format!("{} {} 结算单", s.provider_name, s.month), "statements");
    let state = s.state();
    let signed_by = |who: &Option<Signature>| who.as_ref().is_some_and(|by| by.by == me);
    let mine = s.made.by == me || signed_by(&s.checked);
    Ok(Html(Show {
        may_check: checks && state == Standing::Made && s.made.by != me,
        may_pay: pays && state == Standing::Checked && !mine,
        may_send_back: (checks && state == Standing::Made) || (pays && state == Standing::Checked),
        waiting: match state {
            Standing::Made => "等待复核：由制单人以外、有复核岗位的人办理。",
            Standing::Checked => "等待支付：由制单人、复核人以外的财政人员办理。",
            Standing::Paid => "已支付并记入账目。",
            Standing::Returned => "已退回：明细保留备查，工单可以重新制单。",
        },
        chip: chip(state),
        steps: steps(s),
        lines: sheet.lines.iter().map(line).collect(),
        adds_up: sheet.adds_up(),
        minutes: sheet.lines.iter().map(|l| l.minutes.0).sum(),
        as_of: app.now().0.minute(),
        page,
        sheet,
    }))
}

/// A cell that a spreadsheet reads as text, even when it begins like a formula.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", guarded.replace('"', "\"\""))
}

/// The lines as a file for a spreadsheet.
pub async fn lines(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Reply {
    let id = id_of(&id)?;
    let actor = signed.actor();
    let sheet = app.read(move |tx, _| statements::sheet(tx, &actor, id)).await?;
    // The mark at the beginning tells Excel that the file is UTF-8.
    let mut csv =
        String::from("\u{feff}工单号,上门时间,服务,事由,老人,分钟,金额(元),财政(元),本人(元),自付收取\r\n");
    let yuan = |fen: Fen| format!("{}.{:02}", fen.0 / 100, fen.0 % 100);
    for l in sheet.lines.iter().map(line) {
        let row = [
            cell(&format!("\t{}", l.order)),
            cell(&l.day),
            cell(&l.service),
            cell(if l.reason.is_empty() { Earned::Visit.label() } else { l.reason }),
            cell(&l.person),
            l.minutes.to_string(),
            yuan(l.price),
            yuan(l.funded),
            yuan(l.own),
            cell(&l.collected),
        ];
        csv.push_str(&row.join(","));
        csv.push_str("\r\n");
    }
    let s = &sheet.statement;
    let total = [yuan(s.price), yuan(s.amount), yuan(s.own)].join(",");
    csv.push_str(&format!("合计,,,,,,{total}\r\n"));
    let name = format!("attachment; filename=\"statement-{}-{}.csv\"", s.month, s.id);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, csv).into_response())
}
