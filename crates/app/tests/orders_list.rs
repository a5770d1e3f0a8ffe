//! The list of orders is walked page by page, forwards and backwards, and nothing is left out or seen twice.

mod town;

use app::{
    orders::{self, COUNTED_MOST, Filter, Key, Page},
    p,
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::Role,
    ids::{OrderId, PersonId, ProviderId},
    orders::OrderState,
};
use town::*;

/// Orders as they would stand after some days: several begin at the same minute, as on a full morning.
const MANY: &str = "INSERT INTO orders (id, region, person, service, service_from, channel, note, start_at, end_at, minutes,
        price_fen, own_fen, state, placed_at, placed_by, provider, carer, offered_at, offered_by)
    SELECT ?1 + n.i, 410202001002, ?2, 'B01', '2022-01-01', 'hotline', '', ?4 + (n.i / 3) * 60000000,
        ?4 + (n.i / 3) * 60000000 + 3600000000, 60, 100, 0, CASE WHEN n.i % 4 = 0 THEN 'offered' ELSE 'placed' END, ?4, 1,
        CASE WHEN n.i % 4 = 0 THEN CAST(?3 AS BIGINT) END, CASE WHEN n.i % 4 = 0 THEN 1 END,
        CASE WHEN n.i % 4 = 0 THEN CAST(?4 AS BIGINT) END, CASE WHEN n.i % 4 = 0 THEN 1 END
    FROM (WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?5 - 1)
        SELECT i FROM n) n";

fn many(store: &Store, first: i64, person: PersonId, provider: ProviderId, count: i64) {
    store.write(move |tx| tx.execute(MANY, p![first, person, provider, at(0).0, count]).map(drop)).unwrap();
}

fn lines(store: &Store, filter: &Filter, page: Page) -> Vec<Key> {
    let filter = filter.clone();
    let agent = somebody(Role::Agent, 10);
    let found = store.read(move |tx| orders::lines(tx, &agent, &filter, page)).unwrap();
    found.iter().map(orders::Line::key).collect()
}

/// Walks from the first page to the last and back again.
fn walk(store: &Store, filter: &Filter, latest_first: bool) -> (Vec<Key>, Vec<Key>) {
    let page = Page { latest_first, limit: 7, ..Page::default() };
    let (mut there, mut back) = (Vec::new(), Vec::new());
    loop {
        let from = there.last().copied();
        let found = lines(store, filter, Page { from, ..page });
        if found.is_empty() {
            break;
        }
        there.extend(found);
    }
    back.extend(there.last());
    while let Some(from) = back.first().copied() {
        let found = lines(store, filter, Page { from: Some(from), before: true, ..page });
        if found.is_empty() {
            break;
        }
        back.splice(0..0, found);
    }
    (there, back)
}

#[test]
fn pages_follow_one_another_both_ways_whatever_the_filter() {
    on_both(|store| {
        town(&store);
        let (of, other) = (provider(&store, "安康养老"), person(&store, "李桂芳", 2));
        let elder = person(&store, "王秀英", 2);
        many(&store, 1_000, elder, of, 40);
        many(&store, 2_000, other, of, 20);
        let all = Filter::default();
        let filters = [
            (all.clone(), 60),
            (Filter { person: Some(elder), ..all.clone() }, 40),
            (Filter { provider: Some(of), ..all.clone() }, 15),
            (Filter { states: vec![OrderState::Placed], ..all.clone() }, 45),
            (Filter { from: Some(at(2).0), to: Some(at(4).0), ..all.clone() }, 12),
            (Filter { person: Some(other), to: Some(at(1).0), ..all.clone() }, 3),
            (Filter { provider: Some(of), from: Some(at(3).0), ..all.clone() }, 9),
        ];
        for (filter, count) in filters {
            for latest_first in [true, false] {
                let whole = lines(&store, &filter, Page { latest_first, limit: 500, ..Page::default() });
                let sorted = |a: &Key, b: &Key| (a.start_at, a.id.0) <= (b.start_at, b.id.0);
                let ordered =
                    whole.is_sorted_by(|a, b| if latest_first { sorted(b, a) } else { sorted(a, b) });
                assert!(ordered && whole.len() == count, "{filter:?}: {}", whole.len());
                let (there, back) = walk(&store, &filter, latest_first);
                assert_eq!((&there, &back), (&whole, &whole), "{filter:?}");
            }
        }
    });
}

#[test]
fn an_order_placed_meanwhile_moves_no_page() {
    on_both(|store| {
        town(&store);
        let (of, elder) = (provider(&store, "安康养老"), person(&store, "王秀英", 2));
        many(&store, 1_000, elder, of, 20);
        let page = Page { latest_first: true, limit: 7, ..Page::default() };
        let first = lines(&store, &Filter::default(), page);
        let from = first.last().copied();
        let second = lines(&store, &Filter::default(), Page { from, ..page });
        // Later than all that were there.
        place(&store, &wish(elder, "B01", 24 * 60, None));
        assert_eq!(lines(&store, &Filter::default(), Page { from, ..page }), second);
        // A place need not be an order's that is still there.
        let gone = Key { id: OrderId(first[6].id.0 + 1), ..first[6] };
        let after = lines(&store, &Filter::default(), Page { from: Some(gone), ..page });
        assert_eq!(after[0], first[6]);
    });
}

#[test]
fn more_than_matters_is_not_counted() {
    on_both(|store| {
        town(&store);
        let (of, elder) = (provider(&store, "安康养老"), person(&store, "王秀英", 2));
        many(&store, 1_000, elder, of, 9_999);
        let count = |filter: Filter| {
            let agent = somebody(Role::Agent, 10);
            store.read(move |tx| orders::count(tx, &agent, &filter)).unwrap()
        };
        assert_eq!(count(Filter::default()), 9_999);
        many(&store, 50_000, elder, of, 300);
        assert_eq!(count(Filter::default()), COUNTED_MOST);
        assert_eq!(count(Filter { states: vec![OrderState::Offered], ..Filter::default() }), 2_500 + 75);
    });
}
