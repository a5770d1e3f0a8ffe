//! Every version of every item and programme, in memory.
//!
//! INVARIANT: whoever writes one of their tables says so (`changed`) in the same transaction. The version that counts
//! is a setting, so a change is seen by every process from its commit on.

use std::{collections::HashMap, sync::Arc};

use domain::{programmes::ServiceItem, time::Day};

use super::sql;
use crate::{
    settings,
    store::{Fault, Tx},
};

/// Setting under which the version stands: an id, so that no two contents ever share one.
const VERSION: &str = "catalogue_version";

/// Something that held from a day on, and before another.
#[derive(Debug, Clone)]
pub(super) struct Since<T> {
    pub(super) from: Day,
    /// The day after the last.
    pub(super) to: Option<Day>,
    pub(super) what: T,
}

/// A programme as orders need it.
#[derive(Debug, Clone, Default)]
pub(super) struct Programme {
    pub(super) pick_order: i64,
    pub(super) covers: String,
    pub(super) funders: Vec<Paying>,
}

impl Programme {
    pub(super) fn covers(&self, item: &str) -> bool {
        self.covers.split(',').any(|code| code == item)
    }
}

/// A funder's part of a programme, whose account depends on where the person lives.
#[derive(Debug, Clone)]
pub(super) struct Paying {
    pub(super) funder: String,
    /// 1 province, 2 city, 3 county.
    pub(super) level: i64,
    pub(super) weight: i64,
}

/// Versions by code, each list by first day.
type Versions<T> = HashMap<String, Vec<Since<T>>>;

#[derive(Debug, Default)]
pub(super) struct Catalogue {
    items: Versions<Arc<ServiceItem>>,
    programmes: Versions<Programme>,
}

/// The version of a thing that had begun by a day, the latest of them.
fn begun<'a, T>(of: &'a Versions<T>, code: &str, day: Day) -> Option<&'a Since<T>> {
    of.get(code)?.iter().rfind(|version| version.from <= day)
}

fn on<'a, T>(of: &'a Versions<T>, code: &str, day: Day) -> Option<&'a Since<T>> {
    begun(of, code, day).filter(|version| version.to.is_none_or(|to| to > day))
}

impl Catalogue {
    pub(super) fn item_on(&self, code: &str, day: Day) -> Option<(Arc<ServiceItem>, Day)> {
        on(&self.items, code, day).map(|version| (Arc::clone(&version.what), version.from))
    }

    pub(super) fn items_on(&self, day: Day) -> Vec<ServiceItem> {
        let mut items: Vec<ServiceItem> = self
            .items
            .keys()
            .filter_map(|code| on(&self.items, code, day))
            .map(|version| ServiceItem::clone(&version.what))
            .collect();
        items.sort_by(|a, b| a.code.cmp(&b.code));
        items
    }

    pub(super) fn programme_on(&self, code: &str, day: Day) -> Option<&Programme> {
        on(&self.programmes, code, day).map(|version| &version.what)
    }

    /// Who pays under a programme on a day, also when it has ended: a right that was given is paid.
    pub(super) fn funders_since(&self, code: &str, day: Day) -> Option<&[Paying]> {
        begun(&self.programmes, code, day).map(|version| &version.what.funders[..])
    }
}

/// The catalogue as this transaction sees it.
pub(super) fn catalogue(tx: &mut Tx<'_>) -> Result<Arc<Catalogue>, Fault> {
    let version = settings::version(tx, VERSION)?;
    if let Some(kept) = tx.kept::<Catalogue>(version) {
        return Ok(kept);
    }
    let mut all = Catalogue::default();
    sql::each_item(tx, |code, item| all.items.entry(code).or_default().push(item))?;
    sql::each_programme(tx, |code, programme| all.programmes.entry(code).or_default().push(programme))?;
    sql::each_funder(tx, |code, from, paying| {
        let versions = all.programmes.get_mut(code).into_iter().flatten();
        for version in versions.filter(|version| version.from == from) {
            version.what.funders.push(paying.clone());
        }
    })?;
    let all = Arc::new(all);
    tx.keep(version, Arc::clone(&all));
    Ok(all)
}

/// Notes that items or programmes are others from this transaction on; `version` is a new id.
pub(crate) fn changed(tx: &mut Tx<'_>, version: i64) -> Result<(), Fault> {
    settings::set_version(tx, VERSION, version)
}
