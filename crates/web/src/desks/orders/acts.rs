//! What people do with an order, one form each. What was refused is told on the order's own page.

use app::{
    orders,
    outcome::{No, Outcome},
    store::Tx,
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{
    access::Actor,
    ids::OrderId,
    money::Fen,
    orders::{CancelReason, Confirmation, ConfirmedBy, OrderRefusal},
    time::{At, Now},
};
use serde::Deserialize;

use super::{order_id, sheet};
use crate::{App, Html, Page, Problem, Reply, Signed, see_with};

/// Runs one step and goes back to the order; a refusal is shown there, in words.
async fn step<T: Send + 'static>(
    app: &App,
    signed: &Signed,
    page: Page,
    id: OrderId,
    done: impl FnOnce(T) -> Response,
    mut work: impl FnMut(&mut Tx<'_>, &Actor, Now) -> Outcome<T, OrderRefusal> + Send + 'static,
) -> Reply {
    let actor = signed.actor();
    match app.write(move |tx, now| work(tx, &actor, now)).await {
        Ok(answer) => Ok(done(answer)),
        Err(No::Refused(refusal)) => {
            let status = Problem::from(No::Refused(refusal.clone())).status();
            let shown = sheet::load(app, signed, page, id, refusal.to_string()).await?;
            Ok((status, Html(shown)).into_response())
        }
        Err(no) => Err(no.into()),
    }
}

fn told(id: OrderId, text: &str) -> Response {
    see_with(&format!("/orders/{id}"), text, None)
}

/// The receiver's word as a form sends it.
#[derive(Debug, Deserialize)]
pub struct Word {
    by: String,
    satisfied: String,
    #[serde(default)]
    note: String,
}

/// `POST /orders/{id}/confirmation`
pub async fn confirmation(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Word>,
) -> Reply {
    let id = order_id(&id)?;
    let by = ConfirmedBy::from_code(&form.by).ok_or_else(|| Problem::malformed("请选择是谁验收的"))?;
    let word = Confirmation { by, satisfied: form.satisfied == "yes", note: form.note };
    let said = if word.satisfied { "已验收，可以结算" } else { "已记下不满意，暂不结算" };
    step(
        &app,
        &signed,
        page,
        id,
        |_| told(id, said),
        move |tx, actor, now| orders::confirm(tx, actor, id, &word, now),
    )
    .await
}

/// A rating as a form sends it.
#[derive(Debug, Deserialize)]
pub struct Stars {
    #[serde(default)]
    stars: String,
    #[serde(default)]
    comment: String,
}

/// `POST /orders/{id}/rating`
pub async fn rating(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Stars>,
) -> Reply {
    let id = order_id(&id)?;
    // What is no number is out of range, and the refusal says what the range is.
    let stars = form.stars.parse().unwrap_or(0);
    step(
        &app,
        &signed,
        page,
        id,
        |()| told(id, "评价已记下"),
        move |tx, actor, now| orders::rate(tx, actor, id, stars, &form.comment, now),
    )
    .await
}

/// A cancellation as a form sends it.
#[derive(Debug, Deserialize)]
pub struct Off {
    reason: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    back: String,
}

/// `POST /orders/{id}/cancellation`: taken back within ten seconds by placing the same order again.
pub async fn cancellation(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Off>,
) -> Reply {
    let id = order_id(&id)?;
    let reason = CancelReason::from_code(&form.reason).ok_or_else(|| Problem::malformed("请选择取消原因"))?;
    // Back to a desk of ours and nowhere else.
    let back = if form.back == "/dispatch" || form.back.starts_with("/dispatch?") {
        form.back
    } else {
        format!("/orders/{id}")
    };
    let undo = format!("/orders/{id}/again");
    let done = move |fee: Fen| {
        let said = if fee > Fen::ZERO {
            format!("工单已取消，额度已退回；距上门不到两小时，收取 {fee}")
        } else {
            "工单已取消，占用的额度已退回".to_owned()
        };
        see_with(&back, &said, Some(&undo))
    };
    step(&app, &signed, page, id, done, move |tx, actor, now| {
        orders::cancel(tx, actor, id, reason, &form.note, now)
    })
    .await
}

/// When an order is to be tried again; at its old time when nothing is given.
#[derive(Debug, Deserialize)]
pub struct When {
    #[serde(default)]
    start: String,
}

/// `POST /orders/{id}/again`: the same order anew, for one that was cancelled or came to nothing.
pub async fn again(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<When>,
) -> Reply {
    let id = order_id(&id)?;
    let start = match form.start.trim() {
        "" => None,
        text => Some(At::parse(text).ok_or_else(|| Problem::malformed("请填写新的上门时间"))?),
    };
    let done = |new: OrderId| told(new, "已重新下单");
    step(&app, &signed, page, id, done, move |tx, actor, now| orders::again(tx, actor, id, start, now)).await
}

/// `POST /orders/{id}/settlement`
pub async fn settlement(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id = order_id(&id)?;
    let done = |price: Fen| told(id, &format!("已结算 {price}"));
    step(&app, &signed, page, id, done, move |tx, actor, now| orders::settle(tx, actor, id, now)).await
}

/// `POST /orders/{id}/own-share`: the provider has taken the elder's own part.
pub async fn own_share(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id = order_id(&id)?;
    let done = |own: Fen| told(id, &format!("已登记收取自付 {own}"));
    step(&app, &signed, page, id, done, move |tx, actor, now| orders::collect_own(tx, actor, id, now)).await
}

/// Why an order should be settled without the receiver's word.
#[derive(Debug, Deserialize)]
pub struct Why {
    #[serde(default)]
    reason: String,
}

/// `POST /orders/{id}/exception`
pub async fn exception(
    State(app): State<App>,
    signed: Signed,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Why>,
) -> Reply {
    let id = order_id(&id)?;
    let done = |()| told(id, "例外申请已提交，等另一人批准");
    step(&app, &signed, page, id, done, move |tx, actor, now| {
        orders::ask_exception(tx, actor, id, &form.reason, now)
    })
    .await
}

/// `POST /orders/{id}/exception/approval`
pub async fn approval(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id = order_id(&id)?;
    let done = |()| told(id, "例外已批准，可以结算");
    step(&app, &signed, page, id, done, move |tx, actor, now| orders::approve_exception(tx, actor, id, now))
        .await
}
