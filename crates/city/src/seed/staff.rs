//! Providers, carers, rights of the month and the accounts of everybody who works in the city.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use app::{
    ledger::grants,
    parties::{
        accounts::{self, NewAccount, NewPost, NewToken, TokenFor},
        carers::{self, NEVER, NewCarer, NewCertificate},
        providers::{self, NewProvider},
    },
    settings,
    store::{Fault, Store, Tx, Vault},
};
use domain::{
    access::{Actor, Role},
    ids::{CarerId, ProviderId},
    parties::{Certificate, CreditCode, PersonName, Phone, Sex},
    regions::{RegionCode, RegionRange},
    time::{Month, Now},
};

use super::{Persona, Progress, Stage, builder, must};
use crate::{City, SimCarer, SimProvider, births, carers::Language};

/// Carers entered in one transaction.
const BATCH: usize = 1_000;
/// Tokens of the simulated programs hold as long as any token may.
const TOKEN_DAYS: i64 = 365;
/// Setting that holds the ids of all carers in the order of the city's list.
const CARERS: &str = "demo_carers";
/// Setting that holds the last month whose rights were granted.
const RIGHTS: &str = "demo_rights";
/// Name under which the operator signs in who answers when no visitor does.
pub const OPERATOR: &str = "gaomin";
/// Name under which the leader of the shift signs in who looks a second time when no visitor does.
pub const LEADER: &str = "tangxue";

/// Everybody in whose name the history was made.
#[derive(Debug)]
pub(super) struct Staff {
    pub(super) telephone: Actor,
    pub(super) agents: [Actor; 2],
    pub(super) clerk: Actor,
    pub(super) leader: Actor,
    pub(super) worker: Actor,
    pub(super) dispatcher: Actor,
    pub(super) visits: Actor,
    pub(super) checker: Actor,
    pub(super) payer: Actor,
    /// Carers whose work is left to visitors.
    pub(super) visitors: HashSet<u32>,
}

/// The programs that drive the living city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Reports calls.
    Telephone,
    /// Does what offices and carers do.
    Offices,
    /// Tells what clinics and cuffs measured.
    Clinics,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Program::Telephone => "12349 话务系统",
            Program::Offices => "服务商接口",
            Program::Clinics => "健康小屋接口",
        }
    }

    /// The token, derived from the installation's key so that it needs to be kept nowhere.
    pub fn token(self, vault: &Vault) -> String {
        let halves = ["1", "2"].map(|half| vault.index16("demo token", &format!("{half}{}", self.name())));
        let hex: String = halves.iter().flatten().map(|b| format!("{b:02x}")).collect();
        format!("demo_{hex}")
    }
}

/// Enters all providers and carers; answers their ids in the order of the city's lists.
pub(super) fn enrol(
    store: &Store,
    city: &Arc<City>,
    now: Now,
    progress: &mut Progress<'_>,
) -> Result<(Vec<ProviderId>, Vec<CarerId>), Fault> {
    let list: Vec<NewProvider> = city.providers.iter().map(provider).collect();
    let providers = store.write(move |tx| providers::enrol_many(tx, &list, now))?;
    let mut ids: Vec<CarerId> = Vec::with_capacity(city.carers.len());
    for chunk in city.carers.chunks(BATCH) {
        let list: Vec<(NewCarer, Vec<NewCertificate>)> = chunk
            .iter()
            .map(|carer| (new_carer(carer, providers[carer.provider as usize]), papers(carer)))
            .collect();
        ids.extend(store.write(move |tx| carers::enrol_many(tx, &list, now))?);
        progress("写入服务商和服务人员", ids.len() as u64, city.carers.len() as u64);
    }
    let kept = serde_json::to_string(&ids.iter().map(|id| id.0).collect::<Vec<_>>())?;
    store.write(move |tx| settings::set(tx, CARERS, &kept))?;
    Ok((providers, ids))
}

/// The ids of all carers as they were entered.
pub(crate) fn carers_of(tx: &mut Tx<'_>) -> Result<Vec<i64>, Fault> {
    let kept =
        settings::find(tx, CARERS)?.ok_or_else(|| Fault::other("this store holds no simulated city"))?;
    Ok(serde_json::from_str(&kept)?)
}

fn provider(provider: &SimProvider) -> NewProvider {
    let code = |number| RegionCode::new(number).expect("regions have 12 digits");
    NewProvider {
        name: provider.name.clone(),
        credit_code: CreditCode::parse(&provider.credit_code)
            .expect("simulated codes hold their check digit"),
        contact: provider.contact_name.clone(),
        phone: Phone::parse(&provider.contact_phone).expect("simulated phones can be dialled"),
        address: provider.address.clone(),
        place: Some((provider.lon, provider.lat)),
        region: code(provider.village),
        area: code(provider.county),
        contract_no: provider.contract_no.clone(),
        contract_from: provider.contract_from,
        contract_to: provider.contract_to,
        services: provider.services.iter().map(|s| (*s).to_owned()).collect(),
    }
}

fn new_carer(carer: &SimCarer, provider: ProviderId) -> NewCarer {
    NewCarer {
        provider,
        region: RegionCode::new(carer.village).expect("village codes have 12 digits"),
        name: PersonName::parse(&carer.name).expect("simulated names are names"),
        sex: if carer.sex == births::Sex::Male { Sex::Male } else { Sex::Female },
        birth: carer.birth,
        phone: Some(Phone::parse(&carer.phone).expect("simulated phones can be dialled")),
        home: Some((carer.lon, carer.lat)),
        languages: carer.languages.iter().map(|l| language(*l).to_owned()).collect(),
        work_days: i64::from(carer.hours.days),
        work_from: i64::from(carer.hours.from_minute),
        work_to: i64::from(carer.hours.to_minute),
        takes_at_once: false,
    }
}

fn language(language: Language) -> &'static str {
    match language {
        Language::Mandarin => "普通话",
        Language::Dialect => "本地话",
        Language::Sign => "手语",
    }
}

fn papers(carer: &SimCarer) -> Vec<NewCertificate> {
    let paper = |paper: &crate::carers::Certificate| NewCertificate {
        skill: Certificate::from_code(paper.skill.code())
            .expect("both sides use the words of the city packs"),
        certificate_no: paper.number.clone(),
        valid_from: paper.issued,
        valid_to: paper.expires.unwrap_or(NEVER),
    };
    carer.certificates.iter().map(paper).collect()
}

/// Grants the rights of every month from this one to that of `now`, unless that was done before. Nothing is told of how
/// far it is, for it is one command.
///
/// # Errors
/// When the store fails.
pub fn grant_rights(store: &Store, since: Month, now: Now, progress: &mut Progress<'_>) -> Result<(), Fault> {
    let wanted = now.month().to_string();
    let done = store.read(|tx| settings::find(tx, RIGHTS))?;
    if done.as_deref() == Some(&wanted) {
        return Ok(());
    }
    progress("发放本月服务额度", 0, 1);
    for month in [since, now.month()].into_iter().collect::<BTreeSet<Month>>() {
        grants::grant_month(store, &builder(Role::System), month, now)?;
    }
    store.write(move |tx| settings::set(tx, RIGHTS, &wanted))?;
    progress("发放本月服务额度", 1, 1);
    Ok(())
}

/// Opens the accounts of the personas and of those who work unseen, and makes the tokens of the programs.
pub(super) fn appoint(
    store: &Store,
    city: &City,
    providers: &[ProviderId],
    carers: &[CarerId],
    now: Now,
) -> Result<Staff, Fault> {
    let personas = city.personas();
    let visitors = personas.iter().filter_map(|p| p.carer).collect();
    let whole = Stage::of(city).city;
    let post = |persona: &Persona| NewPost {
        role: persona.role,
        range: persona.range,
        provider: persona.provider.map(|index| providers[index as usize]),
        carer: persona.carer.map(|index| carers[index as usize]),
    };
    let mut accounts: Vec<NewAccount> = personas
        .iter()
        .map(|p| NewAccount { username: p.username.to_owned(), name: p.name.clone(), post: post(p) })
        .collect();
    let unseen = |username: &str, name: &str, role| NewAccount {
        username: username.to_owned(),
        name: name.to_owned(),
        post: NewPost { role, range: whole, provider: None, carer: None },
    };
    accounts.push(unseen(OPERATOR, "高敏", Role::Agent));
    accounts.push(unseen("mengli", "孟丽", Role::Agent));
    accounts.push(unseen(LEADER, "唐雪", Role::Supervisor));
    accounts.push(unseen("qianjun", "钱军", Role::Dispatcher));
    accounts.push(unseen("sunqiang", "孙强", Role::StreetOfficer));
    let usernames: Vec<String> = accounts.iter().map(|a| a.username.clone()).collect();
    let actors = store.write(move |tx| {
        accounts.iter().map(|new| open(tx, new, now)).collect::<Result<Vec<Actor>, Fault>>()
    })?;
    let named = |username: &str| {
        let at = usernames.iter().position(|known| known == username);
        actors[at.expect("everybody asked for was invited above")].clone()
    };
    let of_role =
        |role| actors.iter().find(|a| a.role == role).cloned().expect("there is a persona of each role");
    let_in(store, Program::Clinics, whole, now)?;
    Ok(Staff {
        telephone: let_in(store, Program::Telephone, whole, now)?,
        visits: let_in(store, Program::Offices, whole, now)?,
        agents: [named(OPERATOR), named("mengli")],
        clerk: named("sunqiang"),
        leader: named(LEADER),
        worker: of_role(Role::CommunityWorker),
        dispatcher: named("qianjun"),
        checker: of_role(Role::CityCivilAffairs),
        payer: of_role(Role::Finance),
        visitors,
    })
}

fn open(tx: &mut Tx<'_>, new: &NewAccount, now: Now) -> Result<Actor, Fault> {
    let account =
        must("opening an account", accounts::invite(tx, &builder(Role::Administrator), new, None, now))?;
    let NewPost { role, range, provider, carer } = new.post;
    Ok(Actor { account, name: new.name.clone(), role, range, provider, carer })
}

/// Makes a program's token; answers as whom the program acts.
fn let_in(store: &Store, program: Program, range: RegionRange, now: Now) -> Result<Actor, Fault> {
    let token = accounts::token_hash(&program.token(store.vault()));
    store.write(move |tx| {
        let holder = TokenFor::Program { range, provider: None };
        let new = NewToken { name: program.name().to_owned(), holder, days: TOKEN_DAYS };
        must(
            "making a token",
            accounts::make_token(tx, &builder(Role::Administrator), [0; 32], &new, token, now),
        )?;
        let found = accounts::actor_of_token(tx, token, now)?;
        Ok(found.ok_or_else(|| Fault::other("the token just made is good"))?.0)
    })
}
