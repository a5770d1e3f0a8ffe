//! The catalogue: what there is, at what price, who may do it, and which programmes pay.

use std::collections::BTreeMap;

use app::{
    ledger::grants::{self, Overview},
    outcome::{Never, No},
    pack::Service,
    parties::providers,
    programmes,
};
use askama::Template;
use axum::extract::{Path, State};
use domain::{
    access::Act,
    ids::ProviderId,
    money::Fen,
    parties::Certificate,
    programmes::{ServiceItem, rule::quantity},
    time::Day,
};

use super::fields::some_of;
use crate::{App, Html, Page, Problem, Reply, Signed, filters};

/// Items of one kind of help.
struct Help {
    name: String,
    items: Vec<Item>,
}

struct Item {
    item: ServiceItem,
    unit: &'static str,
    who: String,
}

fn unit(item: &ServiceItem) -> &'static str {
    if item.by_hour { "小时" } else { "次" }
}

/// Who may do it, in words: `2 人同性别；助浴培训，其中一人养老护理员四级或注册护士`.
fn who(item: &ServiceItem) -> String {
    let mut said = Vec::new();
    if item.workers > 1 || item.same_sex {
        let sex = if item.same_sex { "，与老人同性别" } else { "" };
        said.push(format!("{} 人{sex}", item.workers));
    }
    said.push(Certificate::demand(&item.who_may));
    if !item.one_of_them.is_empty() {
        said.push(format!("其中至少一人有{}", Certificate::demand(&item.one_of_them)));
    }
    said.join("；")
}

/// A programme with its tiers in words.
struct Programme {
    one: Overview,
    tiers: Vec<(String, String)>,
    amount: String,
    used: String,
}

fn programme(one: Overview) -> Programme {
    Programme {
        tiers: one.rule.tiers.iter().map(|t| (t.label.clone(), quantity(one.asset, t.monthly))).collect(),
        amount: quantity(one.asset, one.amount),
        used: quantity(one.asset, one.used),
        one,
    }
}

/// The order in which people name the helps.
const HELPS: [&str; 9] = ["助餐", "助浴", "助洁", "助医", "助购", "助行", "助急", "巡访", "精神"];

#[derive(Template)]
#[template(path = "services/index.html")]
struct Index {
    page: Page,
    today: Day,
    helps: Vec<Help>,
    programmes: Vec<Programme>,
    month: String,
    count: usize,
}

/// The whole catalogue by kind of help, and the programmes of the month.
pub async fn index(State(app): State<App>, page: Page, signed: Signed) -> Reply<Html<impl Template>> {
    let page = page.titled("服务目录", "providers");
    let actor = signed.actor();
    let (items, list, today, month) = app
        .read(move |tx, now| {
            let items = programmes::catalogue_on(tx, now.day())?;
            let list = grants::overview(tx, &actor, now.month(), now)?;
            Ok::<_, No<Never>>((items, list, now.day(), now.month().to_string()))
        })
        .await?;
    let count = items.len();
    let mut by_help: BTreeMap<usize, Help> = BTreeMap::new();
    for item in items {
        let place = HELPS.iter().position(|help| *help == item.help_kind).unwrap_or(HELPS.len());
        let help =
            by_help.entry(place).or_insert_with(|| Help { name: item.help_kind.clone(), items: Vec::new() });
        help.items.push(Item { unit: unit(&item), who: who(&item), item });
    }
    let (helps, programmes) = (by_help.into_values().collect(), list.into_iter().map(programme).collect());
    Ok(Html(Index { page, today, helps, programmes, month, count }))
}

struct Version {
    from: Day,
    to: Option<Day>,
    price: Fen,
    band: String,
    minutes: String,
}

#[derive(Template)]
#[template(path = "services/show.html")]
struct Show {
    page: Page,
    item: ServiceItem,
    unit: &'static str,
    who: String,
    evidence: Vec<String>,
    contraindications: Vec<String>,
    versions: Vec<Version>,
    paid_by: Vec<Overview>,
    providers: Vec<(ProviderId, String)>,
    sees_providers: bool,
}

fn parts(text: &str) -> Vec<String> {
    text.split('；').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn version((service, from, to): (Service, Day, Option<Day>)) -> Version {
    Version {
        from,
        to: to.and_then(|day| day.yesterday().ok()),
        price: service.item.unit_price,
        band: format!("{}–{}", service.price_low, service.price_high),
        minutes: format!("{}（最短 {}）", service.item.minutes_std, service.item.minutes_min),
    }
}

/// One item with its versions, who pays and who does it.
pub async fn show(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Path(code): Path<String>,
) -> Reply<Html<impl Template>> {
    let actor = signed.actor();
    let sees_providers = actor.may(Act::SeeProviders).is_ok();
    let found = app
        .read(move |tx, now| {
            let versions = app::pack::versions(tx, &code)?;
            let mut paid_by = grants::overview(tx, &actor, now.month(), now)?;
            paid_by.retain(|p| p.covers.contains(&code));
            let providers =
                if sees_providers { providers::doing(tx, &actor, &code, now.day())? } else { Vec::new() };
            Ok::<_, No<Never>>((versions, paid_by, providers))
        })
        .await?;
    let (mut versions, paid_by, providers) = found;
    versions.sort_by_key(|v| std::cmp::Reverse(v.1));
    let today = app.now().day();
    // The version of today, or the last there was.
    let current = versions.iter().find(|v| v.1 <= today).or(versions.first());
    let item = current.map(|v| v.0.item.clone()).ok_or_else(Problem::not_found)?;
    let page = page.titled(&item.name, "providers");
    Ok(Html(Show {
        page,
        unit: unit(&item),
        who: who(&item),
        evidence: parts(&item.evidence),
        contraindications: parts(&item.contraindication),
        versions: versions.into_iter().map(version).collect(),
        paid_by,
        providers,
        sees_providers,
        item,
    }))
}

impl Show {
    fn doing(&self) -> String {
        let names: Vec<String> = self.providers.iter().map(|(_, name)| name.clone()).collect();
        some_of(&names, 3)
    }
}
