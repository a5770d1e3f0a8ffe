//! Placing an order by one line: what was typed, what it means, what it costs whom, and the button that does it.
//!
//! Used while a call is open and on the page `/orders/new`.

use app::{
    orders::{self, PlaceOrder, Quote},
    outcome::{Answer, No, Outcome},
    programmes,
    store::Tx,
};
use askama::Template;
use domain::{
    access::Actor,
    ids::{CallId, OrderId, PersonId},
    money::{Fen, Minutes},
    orders::{Channel, OrderRefusal},
    parties::name,
    programmes::{Asset, ServiceItem, wished},
    time::{At, Now, suggested},
};
use serde::{Deserialize, Serialize};

use crate::{Page, filters};

/// Where an order belongs that is about to be placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) person: PersonId,
    pub(super) call: Option<CallId>,
}

impl Place {
    fn channel(self) -> Channel {
        if self.call.is_some() { Channel::Hotline } else { Channel::Office }
    }

    fn line_action(self) -> String {
        self.call.map_or_else(|| "/orders/new".to_owned(), |call| format!("/hotline/calls/{call}"))
    }

    fn place_action(self) -> String {
        self.call.map_or_else(|| "/orders/new".to_owned(), |call| format!("/hotline/calls/{call}/order"))
    }
}

/// What an understood line would lead to.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) service: String,
    pub(super) service_name: String,
    pub(super) start: String,
    pub(super) when: String,
    pub(super) minutes: i64,
    pub(super) length: Minutes,
    pub(super) price: Fen,
    pub(super) own: Fen,
    pub(super) by: Vec<String>,
    pub(super) never_when: String,
    pub(super) workers: i64,
}

impl Offer {
    pub(super) fn free(&self) -> bool {
        self.own == Fen::ZERO
    }
}

/// A word the line completes.
#[derive(Debug, Serialize)]
struct Command {
    say: String,
    means: String,
    also: Vec<String>,
}

/// The line with what it means. A part of a page.
#[derive(Debug, Template)]
#[template(path = "hotline/ordering.html")]
pub(super) struct Ordering {
    page: Page,
    place: Place,
    pub(super) line: String,
    note: String,
    pub(super) refused: String,
    pub(super) offer: Option<Offer>,
    commands: String,
    suggested: String,
    /// Whether the line takes the keys as the page opens.
    pub(super) focus: bool,
}

/// The form that places an order.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct OrderForm {
    /// For whom, where no call says so.
    pub(super) person: Option<String>,
    #[serde(default)]
    pub(super) line: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    start: String,
    minutes: Option<i64>,
    /// Ticked when the elder agreed to pay the rest.
    agreed: Option<String>,
    #[serde(default)]
    note: String,
}

impl OrderForm {
    /// A line alone, before anything is placed.
    pub(super) fn of_line(line: Option<String>) -> OrderForm {
        OrderForm { line: line.unwrap_or_default(), ..OrderForm::default() }
    }
}

impl Ordering {
    /// Reads a line and asks what it would cost. Anything that stands against it is told, never thrown.
    pub(super) fn load(
        tx: &mut Tx<'_>,
        actor: &Actor,
        page: Page,
        place: Place,
        typed: &OrderForm,
        now: Now,
    ) -> Answer<Ordering> {
        let items = programmes::catalogue_on(tx, now.day())?;
        let mut ordering = Ordering {
            page,
            place,
            line: typed.line.trim().to_owned(),
            note: typed.note.clone(),
            refused: String::new(),
            offer: None,
            commands: commands(&items),
            suggested: suggested(now).as_seen(now),
            focus: true,
        };
        if ordering.line.is_empty() {
            return Ok(ordering);
        }
        let wish = match wished(&items, &ordering.line, now) {
            Ok(wish) => wish,
            Err(unfound) => {
                ordering.refused = unfound.to_string();
                return Ok(ordering);
            }
        };
        let ask = PlaceOrder {
            person: place.person,
            service: wish.item.code.clone(),
            start: wish.start,
            minutes: wish.minutes,
            own_share_agreed: true,
            channel: place.channel(),
            call: place.call,
            note: String::new(),
        };
        match orders::quote(tx, actor, &ask, now) {
            Ok(quote) => {
                ordering.offer = Some(offer(wish.item, wish.start, quote, now));
                ordering.focus = false;
            }
            Err(No::Refused(refusal)) => ordering.refused = refusal.to_string(),
            Err(No::Forbidden(forbidden)) => ordering.refused = forbidden.to_string(),
            Err(No::NotFound) => return Err(No::NotFound),
            Err(No::Fault(fault)) => return Err(No::Fault(fault)),
        }
        Ok(ordering)
    }
}

/// Places what the form says.
pub(super) fn place(
    tx: &mut Tx<'_>,
    actor: &Actor,
    place: Place,
    form: &OrderForm,
    now: Now,
) -> Outcome<OrderId, OrderRefusal> {
    let start = At::parse(&form.start).ok_or(No::Refused(OrderRefusal::Missing { what: "上门时间" }))?;
    let ask = PlaceOrder {
        person: place.person,
        service: form.service.clone(),
        start,
        minutes: form.minutes.map(Minutes),
        own_share_agreed: form.agreed.is_some(),
        channel: place.channel(),
        call: place.call,
        note: form.note.clone(),
    };
    orders::place(tx, actor, &ask, now)
}

fn offer(item: &ServiceItem, start: At, quote: Quote, now: Now) -> Offer {
    let by = quote.by.iter().map(|cover| match cover.asset {
        Asset::Fen => format!("{} {}", cover.programme, cover.amount),
        Asset::Minutes => format!("{} {}（{}）", cover.programme, Minutes(cover.used), cover.amount),
    });
    Offer {
        service: item.code.clone(),
        service_name: item.name.clone(),
        start: start.rfc3339(),
        when: format!("{} – {}", start.as_seen(now), quote.end.clock()),
        minutes: quote.minutes.0,
        length: quote.minutes,
        price: quote.price,
        own: quote.own,
        by: by.collect(),
        never_when: item.contraindication.clone(),
        workers: item.workers,
    }
}

/// Times one can begin to type; the letters of each work too.
const TIMES: [&str; 8] =
    ["现在", "今天下午", "明天9点", "明天下午2点", "后天9点", "周一9点", "周三9点", "周五9点"];

fn commands(items: &[ServiceItem]) -> String {
    let services = items.iter().map(|item| Command {
        say: item.name.clone(),
        means: format!(
            "{} · {}{} · {}",
            item.code,
            item.unit_price,
            if item.by_hour { "/小时" } else { "" },
            item.minutes_std
        ),
        also: vec![item.code.to_lowercase(), name::initials(&item.name), item.help_kind.clone()],
    });
    let times = TIMES.iter().map(|time| Command {
        say: (*time).to_owned(),
        means: "上门时间".to_owned(),
        also: vec![name::initials(time)],
    });
    let all: Vec<Command> = services.chain(times).collect();
    serde_json::to_string(&all).unwrap_or_else(|_| "[]".to_owned())
}
