//! Questions about orders: lists for desks, and one order with everything that belongs to it.

use domain::{
    access::{Act, Actor},
    ids::{CallId, CarerId, EntitlementId, OrderId, PersonId, ProviderId, TransferId},
    money::{Fen, Minutes},
    orders::{OrderRefusal, OrderState},
    regions::{RegionCode, RegionRange},
    time::{At, Month, Now},
};

use super::{Order, sql};
use crate::{
    evidence::Event,
    ledger::{self, Transfer},
    outcome::{Answer, No, Outcome},
    store::Tx,
};

/// Which orders a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; all when empty.
    pub states: Vec<OrderState>,
    /// Only this region.
    pub region: Option<RegionRange>,
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only of this provider.
    pub provider: Option<ProviderId>,
    /// Only of this carer.
    pub carer: Option<CarerId>,
    /// Only this item.
    pub service: Option<String>,
    /// Starting from here.
    pub from: Option<At>,
    /// Starting before here.
    pub to: Option<At>,
}

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The planned start of an order.
    pub start_at: At,
    /// Which order.
    pub id: OrderId,
}

impl Line {
    /// Where the order stands in a list.
    pub fn key(&self) -> Key {
        Key { start_at: self.start_at, id: self.id }
    }
}

/// A part of a list: lists are in order of the planned start. A page is found by the order it follows, so that the last
/// one costs what the first does, and what was placed meanwhile moves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// Latest first?
    pub latest_first: bool,
    /// After this place, or from the beginning.
    pub from: Option<Key>,
    /// Before the place rather than after it.
    pub before: bool,
    /// Give this many (1 to 500).
    pub limit: i64,
}

/// One order in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is what its name says of the order")]
pub struct Line {
    pub id: OrderId,
    pub region: RegionCode,
    pub person: PersonId,
    pub person_name: String,
    pub person_birth: domain::time::Day,
    pub person_sex: domain::parties::Sex,
    pub address: String,
    pub home: Option<Home>,
    pub service: String,
    pub service_name: String,
    pub start_at: At,
    pub end_at: At,
    pub state: OrderState,
    pub price: Fen,
    pub own: Fen,
    pub placed_at: At,
    pub provider: Option<ProviderId>,
    pub provider_name: String,
    pub carer: Option<CarerId>,
    pub carer_name: String,
    pub partner: Option<CarerId>,
    pub offered_at: Option<At>,
    pub escalated_at: Option<At>,
    pub accepted_at: Option<At>,
    pub checked_in_at: Option<At>,
    pub checked_out_at: Option<At>,
    pub note: String,
    pub stars: Option<i64>,
    pub call: Option<CallId>,
}

/// A point on the map in millionths of a degree, so that lines can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Degrees east × 1,000,000.
    pub lon_e6: i64,
    /// Degrees north × 1,000,000.
    pub lat_e6: i64,
}

impl Home {
    pub(super) fn of(lon: f64, lat: f64) -> Home {
        let e6 = |degrees: f64| (degrees * 1e6).round() as i64;
        Home { lon_e6: e6(lon), lat_e6: e6(lat) }
    }

    /// Longitude and latitude.
    pub fn degrees(self) -> (f64, f64) {
        (self.lon_e6 as f64 / 1e6, self.lat_e6 as f64 / 1e6)
    }
}

/// A part of an order's price as it was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Under which right; none means own money.
    pub entitlement: Option<EntitlementId>,
    /// Name of the programme.
    pub programme: String,
    /// How much of the right, in its own asset.
    pub used: i64,
    /// The money.
    pub amount: Fen,
    /// The hold in the ledger.
    pub held: Option<TransferId>,
}

/// One order with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// The order.
    pub order: Order,
    /// As in lists.
    pub line: Line,
    /// The item in the version the order was made under.
    pub item: std::sync::Arc<domain::programmes::ServiceItem>,
    /// Who was to pay what.
    pub shares: Vec<Share>,
    /// What was booked: transfer, name of the giving and of the receiving account.
    pub transfers: Vec<(Transfer, String, String)>,
    /// The visit's proof.
    pub visit: Option<VisitProof>,
    /// Photographs.
    pub photos: Vec<(domain::ids::PhotoId, At)>,
    /// Everybody who was asked, in order.
    pub offers: Vec<super::OfferLine>,
    /// What the elder owes the provider, and who noted when that it was taken.
    pub owed: Fen,
    /// Who asked to settle without the receiver's word.
    pub exception_asked_by: Option<domain::ids::AccountId>,
    /// A wish to settle without the receiver's word: reason, and who allowed it when.
    pub exception: Option<(String, Option<At>)>,
}

/// What proves a visit.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the column of the same name")]
pub struct VisitProof {
    pub in_at: At,
    pub in_server_at: At,
    pub in_device_at: At,
    pub in_method: domain::orders::Method,
    pub in_distance: Option<i64>,
    pub in_accuracy: Option<f64>,
    pub out_at: Option<At>,
    pub out_server_at: Option<At>,
    pub out_device_at: Option<At>,
    pub minutes: Option<Minutes>,
    pub tasks: Vec<String>,
    pub note: String,
}

/// Orders the actor may see, in order of the planned start.
pub fn lines(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, page: Page) -> Answer<Vec<Line>> {
    actor.may(Act::SeeOrders)?;
    let page = Page { limit: page.limit.clamp(1, 500), ..page };
    Ok(sql::lines(tx, actor.scope().narrowed(filter.region), filter, page)?)
}

/// Orders the actor may see, by id, after one.
pub fn lines_after(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    after: i64,
    limit: i64,
) -> Answer<Vec<Line>> {
    actor.may(Act::SeeOrders)?;
    Ok(sql::lines_after(tx, actor.scope().narrowed(filter.region), filter, after, limit)?)
}

/// Most rows of one export: a county's month, and still a file a spreadsheet opens.
pub const EXPORT_MAX: i64 = 50_000;

/// What the filter finds, for a file: at most `EXPORT_MAX`, in the order of the list. The taking away is recorded by
/// `exported`, once the file is made.
pub fn export(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter, latest_first: bool) -> Answer<Vec<Line>> {
    actor.may(Act::SeeOrders)?;
    let page = Page { latest_first, limit: EXPORT_MAX, ..Page::default() };
    Ok(sql::lines(tx, actor.scope().narrowed(filter.region), filter, page)?)
}

/// Records that a list of orders was taken away as a file: how many, and narrowed to what.
pub fn exported(tx: &mut Tx<'_>, actor: &Actor, rows: usize, filter: &str, now: Now) -> Answer<()> {
    actor.may(Act::SeeOrders)?;
    let detail = serde_json::json!({ "rows": rows, "filter": filter });
    let (act, subject, region) = ("order.exported", actor.account.0, actor.range.lo);
    Ok(tx.record(actor, now, Event { act, subject, region, detail, digest: None })?)
}

/// More orders than this are not counted.
pub const COUNTED_MOST: i64 = 10_000;

/// How many orders the filter finds; `COUNTED_MOST` stands for as many or more.
pub fn count(tx: &mut Tx<'_>, actor: &Actor, filter: &Filter) -> Answer<i64> {
    actor.may(Act::SeeOrders)?;
    Ok(sql::count(tx, actor.scope().narrowed(filter.region), filter, COUNTED_MOST)?)
}

/// One of a carer's own visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The order.
    pub order: OrderId,
    /// Whom it was for.
    pub person_name: String,
    /// What was done.
    pub service_name: String,
    /// When it began.
    pub began_at: At,
    /// How long it was; none while it lasts.
    pub minutes: Option<Minutes>,
    /// Where the order stands.
    pub state: OrderState,
}

/// A carer's own visits of a month, latest first. Visits made with a partner count for both.
pub fn my_month(tx: &mut Tx<'_>, actor: &Actor, month: Month) -> Answer<Vec<Served>> {
    actor.may(Act::VisitHomes)?;
    let carer = actor.carer.ok_or(No::NotFound)?;
    let (from, to) = month.span();
    Ok(sql::served_by(tx, carer, from, to)?)
}

/// One order with everything that belongs to it.
pub fn sheet(tx: &mut Tx<'_>, actor: &Actor, id: OrderId) -> Outcome<Sheet, OrderRefusal> {
    let order = super::order(tx, actor, id)?;
    Ok(Sheet {
        line: sql::line(tx, id)?,
        item: super::item_of(tx, &order)?,
        shares: sql::shares(tx, id)?,
        transfers: ledger::transfers_for(tx, id.0)?,
        visit: sql::visit(tx, id)?,
        photos: sql::photos(tx, id)?,
        offers: sql::offers(tx, id)?,
        exception: sql::exception_row(tx, id)?,
        exception_asked_by: sql::exception_asked_by(tx, id)?,
        owed: super::owed(tx, &order)?,
        order,
    })
}
