//! Whom a step or an errand asks for: the rows, in the transaction of the step.

use domain::{
    access::Role,
    ids::{AccountId, ContactId, ReachId},
    signals::{
        incident::Incident,
        ladder::Reach,
        reach::{About, ReachChannel, ReachState},
    },
    time::{At, Now},
};

use super::{Gateway, Reached, gateway, sql};
use crate::{
    signals::incidents::{Errand, errands, sql::Due},
    store::{Fault, Tx},
};

/// On the platform, so many of a role are told at once.
const HOLDERS: i64 = 3;

/// What was found out for one asking.
struct Asking<'a> {
    incident: &'a Incident,
    elder: sql::Elder,
    by: AccountId,
    gateway: Option<Gateway>,
    now: Now,
}

impl Asking<'_> {
    fn begin<'a>(tx: &mut Tx<'_>, i: &'a Incident, by: AccountId, now: Now) -> Result<Asking<'a>, Fault> {
        let elder = i.person.map(|person| sql::elder_of(tx, person)).transpose()?.flatten();
        Ok(Asking { incident: i, elder: elder.unwrap_or_default(), by, gateway: gateway(tx, now)?, now })
    }

    /// A reach nobody is named in yet.
    fn blank(&self, tx: &mut Tx<'_>, to: Reach, channel: ReachChannel, sent: bool) -> Reached {
        let i = self.incident;
        let (now, clock) = (self.now, i.received_at.clock());
        let about = About {
            kind: i.kind,
            level: i.level,
            elder: &self.elder.name,
            place: &self.elder.address,
            clock: &clock,
        };
        let by_gateway = self.gateway.is_some();
        Reached {
            id: ReachId(tx.id(now)),
            incident: i.id,
            region: i.region,
            round: i.round,
            step: None,
            errand: None,
            to,
            name: String::new(),
            relation: String::new(),
            channel,
            person: i.person,
            contact: None,
            carer: None,
            account: None,
            phone: None,
            say: about.say(to, channel, sent),
            asked_at: now.0,
            asked_by: self.by,
            state: if by_gateway { ReachState::Waiting } else { ReachState::ByHand },
            attempts: 0,
            next_at: by_gateway.then_some(now.0),
            tried_at: None,
            sent_at: None,
            result: None,
            result_at: None,
            ended_at: None,
            error: if by_gateway { String::new() } else { "没有网关，请人工拨打".to_owned() },
        }
    }

    /// Somebody who is told on the platform: at once when signed in, else somebody must call them.
    fn on_platform(&self, mut r: Reached, account: AccountId, name: &str, online: bool) -> Reached {
        let at: Option<At> = online.then_some(self.now.0);
        r.account = Some(account);
        r.name = name.to_owned();
        (r.state, r.next_at, r.sent_at) =
            if online { (ReachState::Sent, None, at) } else { (ReachState::ByHand, None, None) };
        r.error = if online { String::new() } else { "没有登录平台，请人工联系".to_owned() };
        r
    }

    /// Nobody like that is on record.
    fn nobody(&self, mut r: Reached, why: &str) -> Reached {
        r.state = ReachState::Failed;
        r.next_at = None;
        r.ended_at = Some(self.now.0);
        r.error = why.to_owned();
        r
    }
}

/// Writes whom a step asks for. Answers the elder's contact, when it is one.
pub(in super::super) fn for_step(
    tx: &mut Tx<'_>,
    i: &Incident,
    step: &Due,
    by: AccountId,
    now: Now,
) -> Result<Option<ContactId>, Fault> {
    if step.reach.suggested_only() || step.reach == Reach::Operator {
        return Ok(None);
    }
    let asking = Asking::begin(tx, i, by, now)?;
    let mut all = match step.reach {
        Reach::Elder => vec![elder(tx, &asking)],
        Reach::Family | Reach::Neighbour => contact(tx, &asking, step)?,
        Reach::Station => vec![station(tx, &asking)?],
        Reach::GridWorker => holders(tx, &asking, step.reach, Role::CommunityWorker)?,
        Reach::Leader => holders(tx, &asking, step.reach, Role::Supervisor)?,
        Reach::Street => holders(tx, &asking, step.reach, Role::StreetOfficer)?,
        Reach::County => holders(tx, &asking, step.reach, Role::CountyCivilAffairs)?,
        Reach::Operator | Reach::Ambulance | Reach::Fire | Reach::Police => Vec::new(),
    };
    for r in &mut all {
        r.step = Some(step.step);
        sql::insert_reach(tx, r)?;
    }
    Ok(all.first().and_then(|r| r.contact))
}

fn elder(tx: &mut Tx<'_>, asking: &Asking<'_>) -> Reached {
    let r = asking.blank(tx, Reach::Elder, ReachChannel::Phone, false);
    match (asking.incident.person, asking.elder.has_phone) {
        (None, _) => asking.nobody(r, "还不知道是哪位老人"),
        (_, false) => asking.nobody(r, "老人没有登记电话"),
        _ => Reached { name: asking.elder.name.clone(), relation: "本人".to_owned(), ..r },
    }
}

/// The contact of a rank is called and written to.
fn contact(tx: &mut Tx<'_>, asking: &Asking<'_>, step: &Due) -> Result<Vec<Reached>, Fault> {
    let contacts = match asking.incident.person {
        Some(person) => sql::contacts(tx, person)?,
        None => Vec::new(),
    };
    let next_door = |relation: &str| ["邻", "钥匙"].iter().any(|word| relation.contains(word));
    let wanted = step.reach == Reach::Neighbour;
    let mut fitting = contacts.into_iter().filter(|(_, relation)| next_door(relation) == wanted);
    let found = fitting.nth(usize::try_from(step.rank - 1).unwrap_or(0));
    let Some((id, _)) = found else {
        let r = asking.blank(tx, step.reach, ReachChannel::Phone, false);
        return Ok(vec![asking.nobody(r, "没有登记这样的联系人")]);
    };
    let (name, relation) = sql::contact_named(tx, id)?.unwrap_or_default();
    let of = |channel| {
        let r = asking.blank(tx, step.reach, channel, false);
        Reached { contact: Some(ContactId(id)), name: name.clone(), relation: relation.clone(), ..r }
    };
    // Somebody who must dial needs one line, not two.
    let channels: &[ReachChannel] = match asking.gateway {
        Some(_) => &[ReachChannel::Phone, ReachChannel::Text],
        None => &[ReachChannel::Phone],
    };
    Ok(channels.iter().copied().map(of).collect())
}

fn station(tx: &mut Tx<'_>, asking: &Asking<'_>) -> Result<Reached, Fault> {
    let r = asking.blank(tx, Reach::Station, ReachChannel::Phone, true);
    let near = match asking.incident.person {
        Some(person) => errands::nearest_station(tx, person, asking.incident.region, asking.now)?,
        None => None,
    };
    Ok(match near {
        Some(near) => {
            Reached { name: near.name, relation: "服务站".to_owned(), phone: Some(near.phone), ..r }
        }
        None => asking.nobody(r, "附近没有签约的服务站"),
    })
}

/// Those who hold a role over the place.
fn holders(tx: &mut Tx<'_>, asking: &Asking<'_>, to: Reach, role: Role) -> Result<Vec<Reached>, Fault> {
    let found = sql::holders_over(tx, role, asking.incident.region, asking.now.0, HOLDERS)?;
    if found.is_empty() {
        let r = asking.blank(tx, to, ReachChannel::App, false);
        return Ok(vec![asking.nobody(r, "这个岗位上没有人")]);
    }
    Ok(found
        .into_iter()
        .map(|(account, name, online)| {
            let mut r = asking.blank(tx, to, ReachChannel::App, false);
            r.relation = to.label().to_owned();
            asking.on_platform(r, account, &name, online)
        })
        .collect())
}

/// Writes how somebody who is sent to the door learns of it: on the platform when signed in, by telephone when it is a
/// carer, whose number is on record.
pub(in super::super) fn for_errand(
    tx: &mut Tx<'_>,
    i: &Incident,
    errand: &Errand,
    online: bool,
    now: Now,
) -> Result<(), Fault> {
    let asking = Asking::begin(tx, i, errand.sent_by, now)?;
    let to = if errand.carer.is_some() { Reach::Station } else { Reach::GridWorker };
    let named = |r: Reached| Reached {
        errand: Some(errand.id),
        name: errand.name.clone(),
        relation: errand.station.clone(),
        ..r
    };
    if let Some(account) = errand.account.filter(|_| online || errand.carer.is_none()) {
        let r = named(asking.blank(tx, to, ReachChannel::App, true));
        sql::insert_reach(tx, &asking.on_platform(r, account, &errand.name, online))?;
    }
    if let Some(carer) = errand.carer {
        let r = named(asking.blank(tx, to, ReachChannel::Phone, true));
        // Whoever reads it on the platform need not be called by hand as well.
        if asking.gateway.is_some() || !online {
            sql::insert_reach(tx, &Reached { carer: Some(carer), ..r })?;
        }
    }
    Ok(())
}
