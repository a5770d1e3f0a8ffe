//! Looking at people: the small card of the desks, the whole record, whom to call.

use domain::{
    access::{Act, Actor, Scope},
    ids::{ContactId, PersonId},
    parties::{Ability, Hardship, IdNumber, LivingArrangement, PersonState, Phone, Sex, age, mask},
    regions::{Level, RegionCode},
    time::{At, Day, Now},
};

use super::{Fact, PHONE, Row, SecretKind, Whole, labels, sql};
use crate::{
    outcome::{Answer, Found, Outcome},
    regions::{self, RegionBook},
    store::{Fault, Tx, Vault},
};

/// What a desk shows of somebody at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Who.
    pub id: PersonId,
    /// Full name.
    pub name: String,
    /// Full years today.
    pub age: u16,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Day,
    /// Village or community of residence.
    pub region: RegionCode,
    /// "龙亭区 北道门街道 理事厅社区"
    pub region_path: String,
    /// House and door. Shown whole only where somebody is about to go or a call is open; lists show `region_path`.
    pub address: String,
    /// "138****5678"; empty when none is known.
    pub phone_masked: String,
    /// With whom the person lives.
    pub living: Option<LivingArrangement>,
    /// Grade of the last assessment.
    pub ability: Option<Ability>,
    /// Categories of hardship that hold today.
    pub hardships: Vec<Hardship>,
    /// All three in words, the most telling first.
    pub labels: Vec<&'static str>,
    /// How well the person hears, when it matters.
    pub hearing: String,
    /// Language or dialect, when it matters.
    pub language: String,
    /// On the register or not.
    pub state: PersonState,
    /// Longitude and latitude of the home.
    pub place: Option<(f64, f64)>,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id, for opening the phone.
    pub id: ContactId,
    /// 1 is called first.
    pub rank: i64,
    /// Name.
    pub name: String,
    /// Who that is to the person.
    pub relation: String,
    /// "138****5678"
    pub phone_masked: String,
}

/// A whole record, masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Name, age, where, labels.
    pub card: Card,
    /// "410*************1X"; none when no number is known.
    pub id_no_masked: Option<String>,
    /// "龙亭区 北道门街道 ***"
    pub address_masked: String,
    /// Where the household is registered.
    pub hukou: Option<RegionCode>,
    /// Its name, with the city when it is elsewhere.
    pub hukou_path: String,
    /// "**** 1234"; none when no card is known.
    pub bank_card_masked: Option<String>,
    /// Whether something about health is on record.
    pub health_known: bool,
    /// Whether the code of the door is on record.
    pub door_code_known: bool,
    /// Whom to call, in order.
    pub contacts: Vec<Contact>,
    /// What is believed now, oldest first.
    pub facts: Vec<Fact>,
    /// When the record was made.
    pub entered_at: At,
    /// When it was last changed; an edit says which version it saw.
    pub updated_at: At,
    /// Eight characters of the record's code, printed on papers so that they can be held against it.
    pub check_code: String,
}

/// Makes cards; holds what all of one answer share.
pub(super) struct Cards<'a> {
    pub(super) book: &'a RegionBook,
    pub(super) today: Day,
}

impl Cards<'_> {
    pub(super) fn card(&self, row: &Row, vault: &Vault) -> Result<Card, Fault> {
        let s = &row.summary;
        Ok(Card {
            id: row.id,
            name: row.name.clone(),
            age: age::full_years(row.birth, self.today).unwrap_or(0),
            sex: row.sex,
            birth: row.birth,
            region: row.region,
            region_path: self.book.path_of(row.region),
            address: row.address.clone(),
            phone_masked: phone(row.phone.as_deref(), row.id.0, vault)?,
            living: s.living,
            ability: s.ability,
            hardships: Hardship::of_bits(s.hardships).collect(),
            labels: labels(s),
            hearing: row.hearing.clone(),
            language: row.language.clone(),
            state: s.state,
            place: row.place,
        })
    }

    fn person(&self, whole: Whole, vault: &Vault) -> Result<Person, Fault> {
        let card = self.card(&whole.row, vault)?;
        let id = whole.row.id.0;
        let id_no = whole.row.id_no.as_deref().map(|no| vault.decrypt("id_no", id, no)).transpose()?;
        let bank = whole.secret(SecretKind::BankCard);
        let bank = bank.map(|s| vault.decrypt(s.kind.code(), id, &s.value)).transpose()?;
        let region = whole.row.region;
        let (county, township) = (
            self.book.name_of(region.within(Level::County)),
            self.book.name_of(region.within(Level::Township)),
        );
        let hukou = whole.row.summary.hukou;
        Ok(Person {
            id_no_masked: id_no.map(|no| mask::id(&no)),
            address_masked: mask::address(&[&county, &township, &self.book.name_of(region)]),
            hukou,
            hukou_path: hukou.map_or_else(String::new, |code| self.hukou(code, region)),
            bank_card_masked: bank.map(|no| mask::bank_card(&no)),
            door_code_known: whole.secret(SecretKind::DoorCode).is_some(),
            health_known: whole.secret(SecretKind::Health).is_some(),
            contacts: masked(&whole.contacts, vault)?,
            entered_at: whole.row.entered_at,
            updated_at: whole.row.updated_at,
            check_code: super::code::hex(&whole.row.code)[..8].to_uppercase(),
            facts: whole.facts.into_iter().filter(|f| f.known_to.is_none()).collect(),
            card,
        })
    }

    /// Within the same city the county is enough; elsewhere one wants to read which city.
    fn hukou(&self, code: RegionCode, home: RegionCode) -> String {
        let path = self.book.path_of(code);
        if code.within(Level::City) == home.within(Level::City) || code.level() <= Level::City {
            path
        } else {
            format!("{} {path}", self.book.name_of(code.within(Level::City)))
        }
    }
}

fn phone(sealed: Option<&[u8]>, owner: i64, vault: &Vault) -> Result<String, Fault> {
    let open = sealed.map(|s| vault.decrypt(PHONE, owner, s)).transpose()?;
    Ok(open.map(|number| mask::phone(&number)).unwrap_or_default())
}

pub(super) fn masked(rows: &[super::ContactRow], vault: &Vault) -> Result<Vec<Contact>, Fault> {
    rows.iter()
        .map(|c| {
            Ok(Contact {
                id: c.id,
                rank: c.rank,
                name: c.name.clone(),
                relation: c.relation.clone(),
                phone_masked: phone(Some(&c.phone), c.id.0, vault)?,
            })
        })
        .collect()
}

/// The row of somebody the actor may see.
pub(super) fn seen<R>(tx: &mut Tx<'_>, actor: &Actor, id: PersonId) -> Outcome<Row, R> {
    actor.may(Act::SeePeople)?;
    sql::find(tx, id, actor.scope())?.found()
}

/// Who has this identity number, if the actor may see them.
pub fn of_id_number<R>(tx: &mut Tx<'_>, actor: &Actor, number: &IdNumber) -> Outcome<Option<PersonId>, R> {
    actor.may(Act::SeePeople)?;
    let index = super::id_index(tx.vault(), number);
    Ok(sql::of_number(tx, index)?.filter(|row| actor.sees(row.region)).map(|row| row.id))
}

/// One person at a glance.
pub fn card(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Answer<Card> {
    let row = seen(tx, actor, id)?;
    let book = regions::book(tx)?;
    Ok(Cards { book: &book, today: now.day() }.card(&row, tx.vault())?)
}

/// The card of somebody whom the caller may see for another reason than the post: an order, a visit, an open call.
/// The caller has decided that; nothing is checked here.
pub fn card_of(tx: &mut Tx<'_>, id: PersonId, now: Now) -> Answer<Card> {
    let everywhere = Scope { lo: 0, hi: i64::MAX, provider: 0, carer: 0 };
    let row = sql::find(tx, id, everywhere)?.found()?;
    let book = regions::book(tx)?;
    Ok(Cards { book: &book, today: now.day() }.card(&row, tx.vault())?)
}

/// The whole record of one person, masked.
pub fn person(tx: &mut Tx<'_>, actor: &Actor, id: PersonId, now: Now) -> Answer<Person> {
    let row = seen(tx, actor, id)?;
    let book = regions::book(tx)?;
    let whole = sql::whole(tx, row)?;
    Ok(Cards { book: &book, today: now.day() }.person(whole, tx.vault())?)
}

/// Whom to call for somebody, in order.
pub fn contacts(tx: &mut Tx<'_>, actor: &Actor, id: PersonId) -> Answer<Vec<Contact>> {
    let row = seen(tx, actor, id)?;
    let rows = sql::contacts(tx, row.id)?;
    Ok(masked(&rows, tx.vault())?)
}

/// Who may be calling from a number: its owner ("本人") first, then people it was given for as a contact.
pub fn cards_of_phone(
    tx: &mut Tx<'_>,
    actor: &Actor,
    phone: &Phone,
    now: Now,
) -> Answer<Vec<(Card, String)>> {
    actor.may(Act::SeePeople)?;
    let index = tx.vault().index(PHONE, phone.reveal());
    let own = sql::of_phone(tx, index, actor.scope())?;
    let others = sql::of_contact_phone(tx, index, actor.scope())?;
    let book = regions::book(tx)?;
    let (cards, vault) = (Cards { book: &book, today: now.day() }, tx.vault());
    // The index is a short number, so two phones may share one: the opened value decides.
    let same = |owner: i64, sealed: &[u8]| -> Result<bool, Fault> {
        Ok(vault.decrypt(PHONE, owner, sealed)? == phone.reveal())
    };
    let mut found: Vec<(Card, String)> = Vec::new();
    for row in &own {
        if same(row.id.0, row.phone.as_deref().unwrap_or_default())? {
            found.push((cards.card(row, vault)?, "本人".to_owned()));
        }
    }
    for (row, contact, relation, sealed) in &others {
        if same(*contact, sealed)? {
            found.push((cards.card(row, vault)?, relation.clone()));
        }
    }
    Ok(found)
}
