//! A small city with one record of every kind in one township, for routes that name a record in their path.
//!
//! To add a route with a parameter, add a line to [`World::example`]; to add one with a body, add one to [`body`].

use std::sync::Arc;

use app::{
    pack::Pack,
    parties::{
        accounts::{self, NewPost, NewToken, TokenFor, token_hash},
        imports,
    },
    signals::{
        devices::{self, NewDevice},
        incidents::{self, Opening},
    },
    store::{FromColumn, Store},
};
use city::{City, CitySpec, seed};
use domain::{
    access::{Actor, Role},
    ids::{CarerId, PersonId, ProviderId},
    regions::{self, RegionCode, RegionRange},
    signals::{
        device::DeviceKind,
        incident::{IncidentKind, Level},
    },
};
use serde_json::{Value, json};

use super::support::{Service, Visitor, post};

/// To whom what a parameter names belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// To a place: whoever does not see the place must not learn that it exists.
    Place,
    /// To a county, whose townships share it: providers and what is settled with them.
    County,
    /// To one person: nobody else must learn that it exists.
    Person,
    /// To nobody: assets, codes.
    Nobody,
}

/// Where somebody sits, seen from the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// The county of the records.
    Own,
    /// Their township.
    Child,
    /// The township beside it.
    Sibling,
    /// Another county.
    Elsewhere,
}

impl Seat {
    pub const ALL: [Seat; 4] = [Seat::Own, Seat::Child, Seat::Sibling, Seat::Elsewhere];

    /// Whether the records can be seen from there.
    pub fn sees(self, bound: Option<Bound>) -> bool {
        match bound {
            Some(Bound::Place) => matches!(self, Seat::Own | Seat::Child),
            Some(Bound::County) => self != Seat::Elsewhere,
            Some(Bound::Person) => false,
            Some(Bound::Nobody) | None => true,
        }
    }
}

/// The city and the ids of its records.
pub struct World {
    pub service: Service,
    township: RegionCode,
    person: i64,
    fact: i64,
    order: i64,
    call: i64,
    photo: i64,
    ledger: i64,
    account: i64,
    account_post: i64,
    token: i64,
    session: i64,
    carer: i64,
    provider: i64,
    statement: i64,
    service_code: String,
    import: i64,
    device: i64,
    incident: i64,
    errand: i64,
    reach: i64,
}

/// The first column of the first row.
fn first<T: FromColumn + Send + 'static>(store: &Store, sql: &'static str, within: RegionRange) -> Option<T> {
    store.read(move |tx| tx.find(sql, app::p![within.lo, within.hi], |row| row.get(0))).unwrap()
}

/// A list that was read and has something wrong in it.
fn import(service: &Service, range: RegionRange) -> i64 {
    let store = service.bed.store.clone();
    let bytes = "姓名,身份证号,村社区\n张德福,1,无此村\n".as_bytes().to_vec();
    let upload = imports::Upload { file_name: "名单.csv".into(), bytes };
    let (actor, now) = (Actor { range, role: Role::StreetOfficer, ..Service::root() }, service.now());
    let id = imports::start(&store, &actor, &upload, now).unwrap();
    let _worker = imports::spawn_worker(store.clone(), std::sync::Arc::new(move || now));
    for _ in 0..400 {
        let actor = actor.clone();
        let import = store.read(move |tx| imports::find(tx, &actor, id)).unwrap();
        if !import.state.running() {
            return id.0;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the list was not read");
}

/// A smoke detector in a stairwell.
fn device(service: &Service, range: RegionRange) -> i64 {
    let new =
        NewDevice { region: RegionCode::new(range.lo).ok(), ..NewDevice::new(DeviceKind::Smoke, "Y-1") };
    let (actor, now) = (Actor { range, role: Role::StreetOfficer, ..Service::root() }, service.now());
    service.bed.store.write(move |tx| devices::add(tx, &actor, &new, [1; 16], now)).unwrap().0.0
}

/// Somebody pressed for help and nobody has taken it.
fn incident(service: &Service, region: RegionCode, person: i64) -> i64 {
    let now = service.now();
    let opening = Opening {
        kind: IncidentKind::Sos,
        level: Level::P1,
        person: Some(PersonId(person)),
        device: None,
        region,
        pressed_at: None,
        received_at: now.0,
        verified: true,
        text: "按下呼叫器".into(),
        key: "world:1".into(),
    };
    service.bed.store.write(move |tx| incidents::open(tx, &opening, now)).unwrap().id.0
}

impl World {
    pub fn new() -> World {
        let service = Service::new();
        let pack = Pack::load("kaifeng").unwrap();
        let regions = pack.regions.iter().map(|r| r.number()).collect();
        let spec = CitySpec { seed: 7, people: 300, today: service.now().day(), regions };
        let city = Arc::new(City::build(spec, city::REGIONS).unwrap());
        let store = service.bed.store.clone();
        seed::write(&store, &city, &pack, service.now(), &mut |_, _, _| {}).unwrap();
        World::around(service)
    }

    /// Chooses the township of a served order and finds or makes one record of every kind in it.
    fn around(service: Service) -> World {
        let store = service.bed.store.clone();
        const PLACE: &str =
            "SELECT o.region FROM orders o JOIN call k ON k.person = o.person AND k.region = o.region
            JOIN provider v ON v.id = o.provider AND v.region / 1000000 = o.region / 1000000
            WHERE o.region BETWEEN ?1 AND ?2 AND o.checked_out_at IS NOT NULL
                AND EXISTS (SELECT 1 FROM statement s WHERE s.region / 1000000 = o.region / 1000000)
            ORDER BY o.id DESC LIMIT 1";
        let here: RegionCode = first(&store, PLACE, RegionRange::ALL).expect("the city has calls and visits");
        let township = here.within(regions::Level::Township);
        let within = township.range();
        let find = |what: &str, sql| first::<i64>(&store, sql, within).unwrap_or_else(|| panic!("no {what}"));
        let order = find(
            "visit",
            "SELECT o.id FROM orders o
                JOIN provider v ON v.id = o.provider AND v.region / 1000000 = o.region / 1000000
                WHERE o.region BETWEEN ?1 AND ?2 AND o.checked_out_at IS NOT NULL ORDER BY o.id DESC",
        );
        // The simulated carers take no pictures.
        const PHOTO: &str = "INSERT INTO photo
                (id, order_id, sha256, kind, width, height, taken_at, received_at, by_account, bytes)
            VALUES (?1, ?1, ?2, 'image/jpeg', 1, 1, 0, 0, 1, ?2)";
        store.write(move |tx| tx.execute_one(PHOTO, app::p![order, [1_u8; 32]])).unwrap();
        // Nor has anybody looked after those who need watching yet. Its number is that of the order.
        const DUTY: &str =
            "INSERT INTO visit_duty (id, person, region, kind, occasion, due_at, made_at, look_at)
            SELECT id, person, region, 'round', '', 0, 0, placed_at + 999999999999999 FROM orders WHERE id = ?1";
        const TRY: &str =
            "INSERT INTO visit_try (id, duty, person, region, at, recorded_at, by_account, way, met, points,
                answers, note, photo_kind, photo_sha256, photo)
            SELECT id, id, person, region, 0, 0, 1, 'door', 'met', 'ffffffff', 'well', '', 'image/png', ?2, ?2
            FROM orders WHERE id = ?1";
        store.write(move |tx| tx.execute_one(DUTY, app::p![order])).unwrap();
        store.write(move |tx| tx.execute_one(TRY, app::p![order, [1_u8; 32]])).unwrap();
        // Somebody was sent to the door once; who that was is nobody here.
        const ERRAND: &str =
            "INSERT INTO errand (id, incident, person, region, account, name, station, phone, why, state, sent_at, sent_by,
                answer_by, door_by)
            SELECT ?1, ?1, person, region, 1, '刘丽娟', '', '', '', 'asked', 0, 1, 999999999999999999, 0
            FROM incident WHERE id = ?1";
        // And somebody was called for it.
        const REACH: &str =
            "INSERT INTO reach (id, incident, region, round, step, who, name, relation, channel, person, say, asked_at,
                asked_by, state, attempts, sent_at)
            SELECT ?1, ?1, region, 1, 99, 'family', '王强', '儿子', 'phone', person, '', 0, 0, 'sent', 1, 0
            FROM incident WHERE id = ?1";
        let of_order = |column: &'static str| {
            store.read(move |tx| tx.one(column, app::p![order], |row| row.get::<i64>(0))).unwrap()
        };
        let account = service.account("record.holder", post(Role::StreetOfficer, within)).0;
        service.session("record.holder");
        let (token, now) = (token_hash("record"), service.now());
        let new = NewToken {
            name: "记录".into(),
            holder: TokenFor::Program { range: within, provider: None },
            days: 30,
        };
        let made = store
            .write(move |tx| accounts::make_token(tx, &Service::root(), [0; 32], &new, token, now))
            .unwrap();
        let of_account = |sql: &'static str| {
            store.read(move |tx| tx.one(sql, app::p![account], |row| row.get::<i64>(0))).unwrap()
        };
        let rang = incident(&service, here, of_order("SELECT person FROM orders WHERE id = ?1"));
        store.write(move |tx| tx.execute_one(ERRAND, app::p![rang])).unwrap();
        store.write(move |tx| tx.execute_one(REACH, app::p![rang])).unwrap();
        let county = township.within(regions::Level::County).range();
        let statement = first(&store, "SELECT id FROM statement WHERE region BETWEEN ?1 AND ?2", county)
            .expect("a statement");
        let service_code = first(&store, "SELECT code FROM service_item WHERE ?1 <= ?2", county).unwrap();
        World {
            township,
            statement,
            service_code,
            person: of_order("SELECT person FROM orders WHERE id = ?1"),
            fact: of_order(
                "SELECT f.id FROM person_fact f JOIN orders o ON o.person = f.person
                WHERE o.id = ?1 AND f.known_to IS NULL ORDER BY f.id LIMIT 1",
            ),
            call: find("call", "SELECT id FROM call WHERE region BETWEEN ?1 AND ?2 ORDER BY id DESC"),
            photo: order,
            ledger: find("ledger account", "SELECT id FROM ledger_account WHERE region BETWEEN ?1 AND ?2"),
            account_post: of_account("SELECT id FROM post WHERE account = ?1"),
            session: of_account("SELECT id FROM session WHERE account = ?1"),
            carer: of_order("SELECT carer FROM orders WHERE id = ?1"),
            provider: of_order("SELECT provider FROM orders WHERE id = ?1"),
            token: made.0,
            import: import(&service, within),
            device: device(&service, within),
            incident: rang,
            errand: rang,
            reach: rang,
            order,
            account,
            service,
        }
    }

    /// What a parameter of a path is in this city. `None` for a route nobody has thought of yet.
    pub fn example(&self, path: &str, parameter: &str) -> Option<(String, Bound)> {
        let place = |id: i64| Some((id.to_string(), Bound::Place));
        let county = |id: i64| Some((id.to_string(), Bound::County));
        let under = |prefix| path.starts_with(prefix);
        match parameter {
            "*name" if under("/assets/") => Some(("app.js".into(), Bound::Nobody)),
            "code" if under("/invitation/") => Some(("xyi_invented".into(), Bound::Nobody)),
            "code" if under("/api/v1/regions/") => Some((self.township.to_string(), Bound::Place)),
            "session" if under("/account/sessions/") => Some((self.session.to_string(), Bound::Person)),
            "account" if under("/accounts/") => place(self.account),
            "post" if under("/accounts/") => place(self.account_post),
            "token" if under("/accounts/tokens/") => place(self.token),
            "photo" if under("/carer/visits/") => place(self.photo),
            "id" if under("/carer/visits/") => place(self.order),
            "order" if under("/dispatch/") => place(self.order),
            "photo" if under("/orders/") => place(self.photo),
            "id" if under("/orders/") => place(self.order),
            "subject" if under("/evidence/") => place(self.order),
            "id" if under("/people/") => place(self.person),
            "fact" if under("/people/") => place(self.fact),
            "field" if under("/people/") => Some(("phone".into(), Bound::Nobody)),
            "id" if under("/providers/") || under("/api/v1/providers/") => county(self.provider),
            "id" if under("/carers/") || under("/api/v1/carers/") => county(self.carer),
            "code" if under("/services/") || under("/api/v1/services/") => {
                Some((self.service_code.clone(), Bound::Nobody))
            }
            "id" if under("/statements/") || under("/api/v1/statements/") => county(self.statement),
            "id" if under("/hotline/calls/") || under("/api/v1/calls/") => place(self.call),
            "id" if under("/hotline/alarms/") || under("/alarms/") => place(self.incident),
            "id" if under("/hotline/alarms/") || under("/alarms/") || under("/api/v1/incidents/") => {
                place(self.incident)
            }
            "id" if under("/hotline/errands/") => place(self.errand),
            "id" if under("/errands/") => Some((self.errand.to_string(), Bound::Person)),
            "id" if under("/api/v1/reaches/") => place(self.reach),
            "id" if under("/devices/") => place(self.device),
            "id" if under("/api/v1/orders/") => place(self.order),
            // See DUTY and TRY above.
            "leave" if under("/duties/leaves/") => Some((self.order.to_string(), Bound::Person)),
            "photo" if under("/duties/") => place(self.order),
            "id" if under("/api/v1/visit-duties/") || under("/duties/") => place(self.order),
            "id" if under("/api/v1/incidents/") => place(self.incident),
            "id" if under("/api/v1/ledger/accounts/") => place(self.ledger),
            "id" if under("/imports/") || under("/api/v1/imports/") => place(self.import),
            "id" if under("/api/v1/people/") || under("/people/") => place(self.person),
            "field" if under("/people/") => Some(("phone".into(), Bound::Nobody)),
            _ => None,
        }
    }

    /// The regions of a seat.
    pub fn range(&self, seat: Seat) -> RegionRange {
        let county = self.township.within(regions::Level::County);
        let shifted = |by: i64| RegionCode::new(self.township.number() + by).unwrap().range();
        match seat {
            Seat::Own => county.range(),
            Seat::Child => self.township.range(),
            // The last township of the county, or the first, whichever the records are not in.
            Seat::Sibling
                if county.range().holds(RegionCode::new(self.township.number() + 1_000).unwrap()) =>
            {
                shifted(1_000)
            }
            Seat::Sibling => shifted(-1_000),
            Seat::Elsewhere => RegionCode::new(county.number() + 1_000_000).unwrap().range(),
        }
    }

    /// Somebody of this role in this seat. Providers' people belong to the provider of the records, so that only the
    /// seat can keep the records from them.
    pub fn visitor(&self, role: Role, seat: Seat) -> Visitor {
        let range = self.range(seat);
        let username = format!("{}.{seat:?}", role.code().replace('_', ".")).to_lowercase();
        if role == Role::System {
            return self.program(&username, range);
        }
        let provider = role.of_provider().then_some(ProviderId(self.provider));
        let carer = (role == Role::Worker).then_some(CarerId(self.carer));
        self.service.signed_in(&username, NewPost { role, range, provider, carer })
    }

    fn program(&self, token: &str, range: RegionRange) -> Visitor {
        let (hash, now) = (token_hash(token), self.service.now());
        let new = NewToken {
            name: token.to_owned(),
            holder: TokenFor::Program { range, provider: None },
            days: 30,
        };
        let store = &self.service.bed.store;
        store.write(move |tx| accounts::make_token(tx, &Service::root(), [0; 32], &new, hash, now)).unwrap();
        Visitor { cookie: None, bearer: Some(token.to_owned()) }
    }

    /// A body good enough that the record is looked for: otherwise "not found" would prove nothing.
    pub fn body(&self, method: &str, path: &str) -> Value {
        let last = path.rsplit('/').next().unwrap_or_default();
        match (method, last) {
            ("POST", "assignment") => json!({ "carer": self.carer.to_string() }),
            ("POST", "rating") => json!({ "stars": 5 }),
            ("POST", "cancellation") => json!({ "reason": "mistake" }),
            ("POST", "interruption") => json!({ "why": "illness", "note": "头晕，已告知家属" }),
            ("POST", "return") => json!({ "why": "单价与合同不符" }),
            ("POST", "ending") => json!({ "outcome": "ordered" }),
            ("POST", "disclosures") => json!({ "field": "phone", "reason": "核对身份" }),
            ("POST", "facts") => json!({ "kind": "living", "value": "alone", "source": "走访" }),
            ("POST", "incidents") => json!({ "kind": "call", "text": "胸口痛" }),
            ("POST", "hold") => json!({ "seconds": 30 }),
            ("POST", "draft" | "note" | "handover" | "takeover" | "review" | "reopening") => {
                json!({ "text": "与家属通话" })
            }
            ("POST", "escalation") => json!({ "to": "family" }),
            ("POST", "result") => json!({ "result": "no_answer" }),
            ("POST", "contact-result") => json!({ "round": 1, "step": 1, "result": "busy" }),
            ("POST", "level") => json!({ "level": "P2", "text": "已通话" }),
            ("POST", "identification") => json!({ "person": self.person.to_string() }),
            ("POST", "closure") => {
                json!({ "outcome": "false_press", "with_elder": "女儿", "text": "误按，已安抚" })
            }
            _ => json!({}),
        }
    }

    /// The fields of a form, for the same reason.
    pub fn form(&self, path: &str) -> Vec<(&'static str, String)> {
        let township = self.township.to_string();
        match path.rsplit('/').next().unwrap_or_default() {
            "facts" | "correction" => {
                vec![("kind", "remark".into()), ("value", "走访".into()), ("source", "走访".into())]
            }
            "{field}" => vec![("reason", "核对身份".into())],
            "posts" => vec![("role", "agent".into()), ("region", township)],
            "person" => vec![("person", self.person.to_string())],
            "outcome" => vec![("outcome", "ordered".into())],
            "answer" => vec![("coming", "yes".into())],
            "acts" => vec![("line", "hold".into())],
            "result" => vec![("round", "1".into()), ("step", "1".into()), ("result", "busy".into())],
            "emergency" => vec![("call", self.call.to_string())],
            "offer" => vec![("carer", self.carer.to_string())],
            "order" => vec![("person", self.person.to_string())],
            "telephone" => vec![("reason", "没有信号".into())],
            "confirmation" => vec![("by", "elder".into()), ("satisfied", "yes".into())],
            "rating" => vec![("stars", "5".into())],
            "cancellation" => vec![("reason", "elder".into())],
            "exception" => vec![("reason", "老人住院无法验收".into())],
            "interruption" => vec![("why", "illness".into()), ("note", "头晕，已告知家属".into())],
            "refusal" => vec![("reason", "生病".into())],
            _ => vec![],
        }
    }
}
