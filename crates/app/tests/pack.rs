//! A pack is installed once and again; what an old day had never changes.

use app::{
    outcome::No,
    pack::{self, Installed, Pack, PackRefusal},
    programmes,
    store::Store,
};
use city::testing::on_both;
use domain::{
    money::Fen,
    regions::RegionCode,
    time::{At, Day, Now},
};

fn at(text: &str) -> Now {
    Now(At::parse(text).unwrap())
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn install(store: &Store, pack: &Pack, now: Now) -> Result<Installed, No<PackRefusal>> {
    let pack = pack.clone();
    store.write(move |tx| pack::install(tx, &pack, now))
}

fn price(store: &Store, code: &'static str, on: &str) -> Option<Fen> {
    let on = day(on);
    let item = store.read(move |tx| programmes::item_on(tx, code, on)).unwrap();
    item.map(|(item, _)| item.unit_price)
}

fn refusal(answer: Result<Installed, No<PackRefusal>>) -> PackRefusal {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn installing_twice_changes_nothing() {
    let pack = Pack::load("kaifeng").unwrap();
    on_both(|store| {
        let now = at("2026-11-21T09:00");
        let first = install(&store, &pack, now).unwrap();
        assert_eq!((first.items, first.programmes, first.left_out.len()), (34, 2, 1));
        let again = install(&store, &pack, now).unwrap();
        assert_eq!((again.items, again.items_ended, again.programmes), (0, 0, 0));
        let place = store.read(pack::place).unwrap().unwrap();
        assert_eq!(
            (place.platform_name.as_str(), place.hotline.as_str()),
            ("开封市智慧养老服务平台", "12349")
        );
    });
}

#[test]
fn a_new_price_holds_from_tomorrow_and_the_old_days_keep_theirs() {
    on_both(|store| {
        let mut pack = Pack::load("kaifeng").unwrap();
        install(&store, &pack, at("2026-11-01T09:00")).unwrap();
        pack.services[3].item.unit_price = Fen(18_000);
        let done = install(&store, &pack, at("2026-11-21T09:00")).unwrap();
        assert_eq!((done.items, done.items_ended), (1, 0));
        // Corrected the same day: the version of tomorrow has never been used and is replaced.
        pack.services[3].item.unit_price = Fen(18_500);
        install(&store, &pack, at("2026-11-21T15:00")).unwrap();
        assert_eq!(price(&store, "A04", "2026-11-21"), Some(Fen(17_500)));
        assert_eq!(price(&store, "A04", "2026-11-22"), Some(Fen(18_500)));
        assert_eq!(price(&store, "A04", "2022-06-01"), Some(Fen(17_500)));
        // An item left out ends, and yesterday still has it.
        pack.services.remove(3);
        for programme in &mut pack.programmes {
            programme.covers.retain(|code| code != "A04");
            programme.valid_from = day("2026-12-01");
        }
        let done = install(&store, &pack, at("2026-11-25T09:00")).unwrap();
        assert_eq!(done.items_ended, 1);
        assert_eq!(price(&store, "A04", "2026-11-25"), Some(Fen(18_500)));
        assert_eq!(price(&store, "A04", "2026-11-26"), None);
    });
}

#[test]
fn a_rule_that_has_begun_is_never_changed() {
    on_both(|store| {
        let mut pack = Pack::load("kaifeng").unwrap();
        let now = at("2026-11-21T09:00");
        install(&store, &pack, now).unwrap();
        pack.programmes[0].rule.tiers[0].monthly = 2400;
        let refused = refusal(install(&store, &pack, now));
        let from = day("2022-01-01");
        assert_eq!(refused, PackRefusal::Begun { code: "KF-JJZH".into(), from, line: 8 });
        assert!(refused.to_string().contains("另起一段"), "{refused}");

        let mut next = pack.programmes[0].clone();
        pack.programmes[0].rule.tiers[0].monthly = 1800;
        next.valid_from = day("2026-11-01");
        pack.programmes.push(next);
        assert!(matches!(refusal(install(&store, &pack, now)), PackRefusal::Backdated { .. }));

        let last = pack.programmes.len() - 1;
        pack.programmes[last].valid_from = day("2027-01-01");
        assert_eq!(install(&store, &pack, now).unwrap().programmes, 1);
        // Before it begins it may still change.
        pack.programmes[last].rule.tiers[0].monthly = 2100;
        assert_eq!(install(&store, &pack, now).unwrap().programmes, 1);
        assert_eq!(install(&store, &pack, now).unwrap().programmes, 0);
    });
}

#[test]
fn one_store_is_one_place() {
    on_both(|store| {
        let now = at("2026-11-21T09:00");
        install(&store, &Pack::load("kaifeng").unwrap(), now).unwrap();
        let refused = refusal(install(&store, &Pack::load("weifang").unwrap(), now));
        assert!(matches!(refused, PackRefusal::OtherPlace { .. }), "{refused}");
    });
}

#[test]
fn every_county_pays_from_its_own_account() {
    on_both(|store| {
        install(&store, &Pack::load("liaoning").unwrap(), at("2026-11-21T09:00")).unwrap();
        let names: Vec<String> = store
            .read(|tx| {
                tx.all(
                    "SELECT name FROM ledger_account WHERE kind = 'funder' ORDER BY owner, code",
                    &[],
                    |r| r.get(0),
                )
            })
            .unwrap();
        assert_eq!(names[0], "辽宁省财政");
        for name in ["沈阳市财政", "沈河区财政", "营口市财政", "铁岭县财政"] {
            assert!(names.iter().any(|n| n == name), "{name} is missing in {names:?}");
        }
        assert!(RegionCode::parse("210103").is_ok());
    });
}
