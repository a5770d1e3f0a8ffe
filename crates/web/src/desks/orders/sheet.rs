//! One order: who, what, when, who pays, the steps, the proof, what was booked, and what may be done next.

use std::sync::Arc;

use app::{
    ledger::Transfer,
    orders::{self, Sheet, VisitProof},
    outcome::No,
    regions,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::header,
    response::IntoResponse,
};
use domain::{
    access::{Act, Actor},
    ids::{OrderId, PhotoId},
    ledger::TransferKind,
    money::{Fen, Minutes},
    orders::{CancelReason, ConfirmedBy, OrderRefusal, OrderState, SIGN_IN_METRES_WARN, cancel_fee},
    programmes::Asset,
    time::{At, Now},
};
use serde::Deserialize;

use super::{look, order_id};
use crate::{App, Html, Page, Problem, Reply, Signed, desks::fields::whole_address, filters};

/// A step that was made.
struct Step {
    look: &'static str,
    at: String,
    what: String,
    who: String,
}

/// A part of the price.
struct Part {
    payer: String,
    used: String,
    amount: String,
}

/// A transfer in words.
struct Booked {
    at: String,
    kind: &'static str,
    from: String,
    to: String,
    amount: String,
}

/// What an account gained or lost by the order.
struct Net {
    account: String,
    change: String,
}

/// The proof of the visit, in words.
struct Proof {
    facts: Vec<(&'static str, String)>,
    clocks: Vec<(&'static str, String)>,
    far: bool,
    tasks: String,
    note: String,
    photos: Vec<(PhotoId, String)>,
}

/// What the signed-in post may do with the order now; the commands decide again.
struct May {
    dispatch: bool,
    confirm: bool,
    rate: bool,
    cancel: bool,
    again: bool,
    settle: bool,
    ask: bool,
    approve: bool,
    collect: bool,
    trail: bool,
    any: bool,
}

#[derive(Template)]
#[template(path = "orders/show.html")]
pub(super) struct Show {
    page: Page,
    id: OrderId,
    title: String,
    look: &'static str,
    state: &'static str,
    person_href: Option<String>,
    facts: Vec<(&'static str, String)>,
    parts: Vec<Part>,
    price: String,
    paid: Vec<Net>,
    steps: Vec<Step>,
    offers: Vec<String>,
    proof: Option<Proof>,
    exception: Option<String>,
    booked: Vec<Booked>,
    nets: Vec<Net>,
    may: May,
    confirmers: Vec<(&'static str, &'static str)>,
    cancel_reasons: Vec<(&'static str, &'static str)>,
    /// What calling the order off now would cost whoever asks for it, where it costs anything.
    cancel_fee: Option<Fen>,
    /// What the elder still owes the provider.
    owed: Option<Fen>,
    /// Whether the visit was tried and a second try may be made.
    tried: bool,
    /// The planned start, for a form that moves it.
    start: String,
    problem: String,
    then: String,
}

#[derive(Template)]
#[template(path = "orders/paper.html")]
struct Paper {
    page: Page,
    office: String,
    title: String,
    facts: Vec<(&'static str, String)>,
    parts: Vec<Part>,
    price: String,
    proof: Option<Proof>,
    steps: Vec<Step>,
    number: String,
    check: String,
    then: String,
}

/// `GET /orders/{id}`
pub async fn show(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id = order_id(&id)?;
    Ok(Html(load(&app, &signed, page, id, String::new()).await?).into_response())
}

/// The order's page, with what was refused last.
pub(super) async fn load(
    app: &App,
    signed: &Signed,
    page: Page,
    id: OrderId,
    problem: String,
) -> Reply<Show> {
    let actor = signed.actor();
    let (sheet, place, now) = read(app, Arc::clone(&actor), id).await?;
    let title = format!("{} {}", sheet.line.service_name, sheet.line.person_name);
    let money = actor.may(Act::SeeMoney).is_ok();
    let exception = sheet.exception.as_ref().map(|(reason, approved)| match approved {
        None => format!("申请不经验收结算：{reason}（等另一人批准）"),
        Some(at) => format!("申请不经验收结算：{reason}（{} 已批准）", at.as_seen(now)),
    });
    let may = may(&actor, &sheet);
    Ok(Show {
        id,
        look: look(sheet.order.state),
        state: sheet.order.state.label(),
        person_href: actor.may(Act::SeePeople).is_ok().then(|| format!("/people/{}", sheet.order.person)),
        facts: facts(&sheet, &place, now),
        parts: parts(&sheet),
        price: sheet.order.price.to_string(),
        paid: paid(&sheet.transfers),
        steps: steps(&sheet, now),
        offers: offers(&sheet, now),
        proof: proof(&sheet, now),
        exception,
        booked: if money { booked(&sheet.transfers, now) } else { Vec::new() },
        nets: if money { nets(&sheet.transfers) } else { Vec::new() },
        may,
        confirmers: ConfirmedBy::ALL.iter().map(|c| (c.code(), c.label())).collect(),
        cancel_reasons: CancelReason::ALL.iter().map(|r| (r.code(), r.label())).collect(),
        cancel_fee: Some(cancel_fee(
            sheet.order.state,
            CancelReason::Elder,
            sheet.order.start_at,
            sheet.order.price,
            now,
        ))
        .filter(|fee| *fee > Fen::ZERO),
        owed: Some(sheet.owed).filter(|fen| *fen > Fen::ZERO && sheet.order.collected_at.is_none()),
        tried: matches!(sheet.order.state, OrderState::NobodyHome | OrderState::Interrupted),
        start: now.0.plus_minutes(24 * 60).local().strftime("%Y-%m-%dT%H:%M").to_string(),
        problem,
        then: now.0.clock(),
        page: page.titled(&title, "orders"),
        title,
    })
}

async fn read(app: &App, actor: Arc<Actor>, id: OrderId) -> Reply<(Sheet, String, Now)> {
    Ok(app
        .read(move |tx, now| {
            let sheet = orders::sheet(tx, &actor, id)?;
            let place = regions::book(tx)?.path_of(sheet.order.region);
            Ok::<_, No<OrderRefusal>>((sheet, place, now))
        })
        .await?)
}

/// `GET /orders/{id}/paper`: what is signed and filed, on one sheet of A4.
pub async fn paper(State(app): State<App>, signed: Signed, page: Page, Path(id): Path<String>) -> Reply {
    let id = order_id(&id)?;
    let (sheet, place, now) = read(&app, signed.actor(), id).await?;
    let digest = sheet.order.digest();
    let check: Vec<String> =
        digest[..6].chunks(2).map(|two| format!("{:02X}{:02X}", two[0], two[1])).collect();
    let paper = Paper {
        office: if sheet.line.provider_name.is_empty() {
            place.clone()
        } else {
            sheet.line.provider_name.clone()
        },
        title: format!("{} {}", sheet.line.service_name, sheet.line.person_name),
        facts: facts(&sheet, &place, now),
        parts: parts(&sheet),
        price: sheet.order.price.to_string(),
        proof: proof(&sheet, now),
        steps: steps(&sheet, now),
        number: id.to_string(),
        check: check.join("-"),
        then: now.0.minute(),
        page: page.titled("上门服务记录单", "orders"),
    };
    Ok(Html(paper).into_response())
}

/// How a photograph is wanted.
#[derive(Debug, Deserialize)]
pub struct Size {
    #[serde(default)]
    small: String,
}

/// `GET /orders/{id}/photos/{photo}`: for whoever may see the order.
pub async fn photo(
    State(app): State<App>,
    signed: Signed,
    Path((id, photo)): Path<(String, String)>,
    Query(size): Query<Size>,
) -> Reply {
    let (id, photo) = (order_id(&id)?, photo.parse().map_err(|_| Problem::not_found())?);
    let actor = signed.actor();
    let found = app.read(move |tx, _| orders::photo(tx, &actor, id, photo)).await?;
    let found = if size.small.is_empty() {
        found
    } else {
        // Reading a picture takes longer than other requests should wait.
        let made = tokio::task::spawn_blocking(move || orders::thumbnail(found)).await;
        made.map_err(|error| app::store::Fault::other(format!("making a thumbnail: {error}")))?
    };
    Ok(([(header::CONTENT_TYPE, found.kind)], found.bytes).into_response())
}

fn may(actor: &Actor, sheet: &Sheet) -> May {
    let state = sheet.order.state;
    let can = |act| actor.may(act).is_ok();
    let over = matches!(state, OrderState::Served | OrderState::Disputed | OrderState::Interrupted);
    let tried = matches!(state, OrderState::NobodyHome | OrderState::Interrupted);
    // Confirmed and yet not to be paid by the rule: it broke off before the item's minimum.
    // Or nothing shows that the carer was there.
    let unproved = sheet.visit.as_ref().is_some_and(|v| !v.in_method.shows_home(v.in_distance));
    let cut = state == OrderState::Confirmed && (sheet.order.interruption.is_some() || unproved);
    let excusable = over || cut || state == OrderState::NobodyHome;
    let rated = sheet.order.stars.is_some();
    let excused = sheet.exception.as_ref().is_some_and(|(_, approved)| approved.is_some());
    let may = May {
        dispatch: can(Act::DispatchOrders)
            && matches!(state, OrderState::Placed | OrderState::Offered | OrderState::Accepted),
        confirm: can(Act::ConfirmOrders) && over,
        rate: can(Act::ConfirmOrders)
            && !rated
            && (over && !tried || matches!(state, OrderState::Confirmed | OrderState::Settled)),
        cancel: can(Act::PlaceOrders) && OrderState::Cancelled.may_follow(state),
        again: can(Act::PlaceOrders) && (state == OrderState::Cancelled || tried),
        settle: can(Act::SettleOrders)
            && (state == OrderState::Confirmed && !unproved || excusable && excused),
        ask: can(Act::SettleOrders) && excusable && sheet.exception.is_none(),
        approve: can(Act::ApproveMoney)
            && excusable
            && !excused
            && sheet.exception_asked_by.is_some_and(|by| by != actor.account),
        collect: can(Act::SettleOrders) && sheet.owed > Fen::ZERO && sheet.order.collected_at.is_none(),
        trail: can(Act::SeeEvidence),
        any: false,
    };
    let any = [may.dispatch, may.confirm, may.rate, may.cancel, may.again, may.settle, may.ask, may.approve];
    let any = any.contains(&true) || may.collect;
    May { any, ..may }
}

fn facts(sheet: &Sheet, place: &str, now: Now) -> Vec<(&'static str, String)> {
    let (order, line) = (&sheet.order, &sheet.line);
    let mut facts = vec![
        (
            "老人",
            format!("{}，{}，{} 年生", line.person_name, line.person_sex.label(), line.person_birth.year()),
        ),
        ("住址", whole_address(place, &line.address)),
        ("项目", format!("{} {}", line.service, line.service_name)),
        ("约定时间", format!("{}–{}，{}", line.start_at.as_seen(now), line.end_at.clock(), order.minutes)),
        ("来源", order.channel.label().to_owned()),
    ];
    if !line.provider_name.is_empty() {
        facts.push(("服务商", line.provider_name.clone()));
        facts.push(("服务人员", line.carer_name.clone()));
    }
    if !order.note.is_empty() {
        facts.push(("备注", order.note.clone()));
    }
    if let Some(reason) = order.cancel_reason {
        facts.push(("取消原因", reason.label().to_owned()));
    }
    facts
}

fn parts(sheet: &Sheet) -> Vec<Part> {
    let part = |share: &orders::Share| {
        // What a right is counted in stands with the hold that was made of it.
        let held = share.held.and_then(|held| sheet.transfers.iter().find(|(t, _, _)| t.id == held));
        let used = match held.map(|(t, _, _)| t.moved.asset) {
            Some(Asset::Minutes) => format!("用时长 {}", Minutes(share.used)),
            Some(Asset::Fen) => format!("用额度 {}", Fen(share.used)),
            None => String::new(),
        };
        let payer =
            if share.entitlement.is_some() { share.programme.clone() } else { "老人自付".to_owned() };
        Part { payer, used, amount: share.amount.to_string() }
    };
    sheet.shares.iter().map(part).collect()
}

/// Who was charged how much when the order was settled.
fn paid(transfers: &[(Transfer, String, String)]) -> Vec<Net> {
    let mut paid: Vec<(String, i64)> = Vec::new();
    for (t, from, _) in transfers {
        if t.kind == TransferKind::Posted && t.moved.asset == Asset::Fen {
            match paid.iter_mut().find(|(name, _)| name == from) {
                Some((_, sum)) => *sum += t.moved.amount,
                None => paid.push((from.clone(), t.moved.amount)),
            }
        }
    }
    paid.into_iter().map(|(account, sum)| Net { account, change: Fen(sum).to_string() }).collect()
}

fn amount(asset: Asset, amount: i64) -> String {
    match asset {
        Asset::Fen => Fen(amount).to_string(),
        Asset::Minutes => format!("{amount} 分钟"),
    }
}

fn booked(transfers: &[(Transfer, String, String)], now: Now) -> Vec<Booked> {
    transfers
        .iter()
        .map(|(t, from, to)| Booked {
            at: t.at.as_seen(now),
            kind: t.kind.label(),
            from: from.clone(),
            to: to.clone(),
            amount: amount(t.moved.asset, t.moved.amount),
        })
        .collect()
}

/// What each account gained or lost for good; the sum of each asset is nothing, and stands in the last line.
fn nets(transfers: &[(Transfer, String, String)]) -> Vec<Net> {
    let mut nets: Vec<(Asset, String, i64)> = Vec::new();
    for (t, from, to) in transfers {
        if !matches!(t.kind, TransferKind::Posted | TransferKind::PostPending) {
            continue;
        }
        for (name, change) in [(from, -t.moved.amount), (to, t.moved.amount)] {
            match nets.iter_mut().find(|(asset, known, _)| *asset == t.moved.asset && known == name) {
                Some((_, _, sum)) => *sum += change,
                None => nets.push((t.moved.asset, name.clone(), change)),
            }
        }
    }
    let mut shown = Vec::new();
    for asset in [Asset::Minutes, Asset::Fen] {
        let of_asset: Vec<_> = nets.iter().filter(|(a, _, _)| *a == asset).collect();
        if of_asset.is_empty() {
            continue;
        }
        let sum: i64 = of_asset.iter().map(|(_, _, change)| change).sum();
        let line = |(_, name, change): &&(Asset, String, i64)| Net {
            account: name.clone(),
            change: amount(asset, *change),
        };
        shown.extend(of_asset.iter().map(line));
        shown.push(Net { account: "合计".to_owned(), change: amount(asset, sum) });
    }
    shown
}

fn steps(sheet: &Sheet, now: Now) -> Vec<Step> {
    let order = &sheet.order;
    let mut steps = Vec::new();
    let mut add = |at: Option<At>, look, what: String, who: &str| {
        if let Some(at) = at {
            steps.push(Step { look, at: at.as_seen(now), what, who: who.to_owned() });
        }
    };
    let carer = sheet.line.carer_name.as_str();
    add(Some(order.placed_at), "", "下单".into(), order.channel.label());
    add(order.offered_at, "", format!("派给{carer}"), &sheet.line.provider_name);
    add(order.escalated_at, "attention", "无人应答，转派单员".into(), "");
    add(order.accepted_at, "", "接单".into(), carer);
    add(order.checked_in_at, "", "签到".into(), carer);
    let why = order.interruption.map(|why| format!("中断：{}", why.label()));
    match (order.state, why) {
        (OrderState::NobodyHome, _) => add(order.checked_out_at, "attention", "空访，无人应答".into(), carer),
        (_, Some(why)) => add(order.checked_out_at, "attention", why, carer),
        _ => add(order.checked_out_at, "", "签退".into(), carer),
    }
    let said = order.confirmed_by.map_or("", ConfirmedBy::label);
    match order.state {
        OrderState::Disputed => add(order.confirmed_at, "attention", "不满意".into(), said),
        _ => add(order.confirmed_at, "done", "验收".into(), said),
    }
    if let Some(stars) = order.stars {
        let comment = order.comment.clone().unwrap_or_default();
        add(order.confirmed_at.or(order.checked_out_at), "", format!("评 {stars} 星"), &comment);
    }
    add(order.settled_at, "done", "结算".into(), "");
    let why = order.cancel_reason.map_or("", CancelReason::label);
    let cancelled =
        if order.fee > Fen::ZERO { format!("取消，收取 {}", order.fee) } else { "取消".to_owned() };
    add(order.cancelled_at, "attention", cancelled, why);
    add(order.collected_at, "done", format!("收取自付 {}", sheet.owed), &sheet.line.provider_name);
    steps
}

fn offers(sheet: &Sheet, now: Now) -> Vec<String> {
    let declined = sheet.offers.iter().filter(|o| o.answer.as_deref() == Some("declined"));
    declined
        .map(|o| {
            let at = o.answered_at.unwrap_or(o.offered_at).as_seen(now);
            format!("{at} {} 退单：{}", o.carer_name, o.reason)
        })
        .collect()
}

fn proof(sheet: &Sheet, now: Now) -> Option<Proof> {
    let visit = sheet.visit.as_ref()?;
    let line = &sheet.line;
    let until = visit.out_at.map_or("服务中".to_owned(), At::clock);
    let mut facts = vec![
        ("服务项目", line.service_name.clone()),
        ("服务对象", line.person_name.clone()),
        ("服务人员", line.carer_name.clone()),
        ("服务日期", visit.in_at.day().to_string()),
        ("服务地点", where_it_was(visit)),
        ("起止时间", format!("{}–{until}", visit.in_at.clock())),
    ];
    if let Some(minutes) = visit.minutes {
        facts.push(("实际时长", minutes.to_string()));
    }
    let both = |server: At, device: At| {
        let server = server.local().strftime("%m-%d %H:%M:%S").to_string();
        format!("服务器 {server}，手机 {}", device.local().strftime("%H:%M:%S"))
    };
    let mut clocks = vec![("签到", both(visit.in_server_at, visit.in_device_at))];
    if let (Some(server), Some(device)) = (visit.out_server_at, visit.out_device_at) {
        clocks.push(("签退", both(server, device)));
    }
    Some(Proof {
        facts,
        clocks,
        far: visit.in_distance.is_some_and(|metres| metres > SIGN_IN_METRES_WARN),
        tasks: visit.tasks.join("、"),
        note: visit.note.clone(),
        photos: sheet.photos.iter().map(|(id, at)| (*id, at.as_seen(now))).collect(),
    })
}

fn where_it_was(visit: &VisitProof) -> String {
    let how = visit.in_method.label();
    match (visit.in_distance, visit.in_accuracy) {
        (Some(metres), Some(accuracy)) => format!("{how}，距住处 {metres} 米（精度 ±{accuracy:.0} 米）"),
        (Some(metres), None) => format!("{how}，距住处 {metres} 米"),
        (None, _) => format!("{how}，位置不确定"),
    }
}
