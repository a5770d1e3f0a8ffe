//! Posts: who may give them, what they end, and whom one sees.

use super::*;

#[test]
fn an_account_with_two_posts_chooses_one_and_can_change() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        let by = admin.clone();
        let second = post(Role::StreetOfficer, region("410202001"));
        let officer = store.write(move |tx| accounts::give_post(tx, &by, id, &second, at(4))).unwrap();
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s", at(5)), Door::Open(Stage::Post));
        assert_eq!(who(&store, "s", at(5)), None);
        let choose =
            |post: PostId| store.write(move |tx| accounts::choose_post(tx, token_hash("s"), post, at(6)));
        assert!(matches!(choose(PostId(4711)), Err(No::NotFound)));
        choose(officer).unwrap();
        let actor = who(&store, "s", at(6)).unwrap();
        assert_eq!((actor.role, actor.range), (Role::StreetOfficer, region("410202001")));
        let token = token_hash("s");
        let own = store.read(move |tx| accounts::own_account(tx, token, at(6))).unwrap();
        choose(own.posts[0].id).unwrap();
        assert_eq!(who(&store, "s", at(7)).unwrap().role, Role::Agent);
        assert!(who(&store, "s", at(6 + 12 * 60)).is_none(), "changing posts prolongs nothing");
    });
}

#[test]
fn a_post_that_asks_for_a_factor_is_not_chosen_without_one() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        sign_in(&store, "liumin", PASSWORD, "s", at(5));
        let new = post(Role::Finance, region("410202"));
        let given = store.write(move |tx| accounts::give_post(tx, &admin, id, &new, at(6))).unwrap();
        let chosen = store.write(move |tx| accounts::choose_post(tx, token_hash("s"), given, at(7)));
        assert_eq!(refused(chosen), AccountRefusal::FactorMissing);
    });
}

#[test]
fn posts_are_given_within_limits() {
    on_both(|store| {
        let admin = administrator(&store);
        let own = county(&admin, "410202");
        let post_refused = |by: &Actor, new| refused(invite(&store, by, "liumin", new));
        assert_eq!(
            post_refused(&own, post(Role::Agent, region("410203"))),
            AccountRefusal::Post(PostRefusal::OutsideRange)
        );
        assert_eq!(
            post_refused(&own, post(Role::System, region("410202"))),
            AccountRefusal::Post(PostRefusal::ProgramsHaveTokens)
        );
        assert_eq!(
            post_refused(&own, post(Role::ProviderAdmin, region("410202"))),
            AccountRefusal::Post(PostRefusal::ProviderMissing)
        );
        let unknown =
            NewPost { provider: Some(ProviderId(5)), ..post(Role::ProviderAdmin, region("410202")) };
        assert!(matches!(invite(&store, &own, "liumin", unknown), Err(No::NotFound)));
        let clerk = Actor { role: Role::StreetOfficer, ..own.clone() };
        let new = post(Role::Agent, region("410202"));
        assert!(matches!(invite(&store, &clerk, "liumin", new), Err(No::Forbidden(_))));

        invite(&store, &own, "liumin", new).unwrap();
        assert_eq!(post_refused(&own, new), AccountRefusal::UsernameTaken("liumin".into()));
        assert_eq!(refused(invite(&store, &own, "刘敏", new)), AccountRefusal::Username);

        let me = admin.clone();
        let widen = store.write(move |tx| accounts::give_post(tx, &me, me.account, &new, at(5)));
        assert_eq!(refused(widen), AccountRefusal::Post(PostRefusal::Oneself));
    });
}

#[test]
fn closing_ends_everything_and_is_not_for_oneself() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        sign_in(&store, "liumin", PASSWORD, "s", at(5));
        let by = admin.clone();
        let close = move |account| {
            let by = by.clone();
            move |tx: &mut app::store::Tx<'_>| accounts::close(tx, &by, account, at(6))
        };
        assert_eq!(refused(store.write(close(admin.account))), AccountRefusal::Oneself);
        store.write(close(id)).unwrap();
        assert_eq!(who(&store, "s", at(6)), None);
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s2", at(6)), Door::Wrong);
        assert_eq!(refused(store.write(close(id))), AccountRefusal::Closed);
        let by = admin.clone();
        store.write(move |tx| accounts::reopen(tx, &by, id, at(7))).unwrap();
        assert_eq!(who(&store, "s", at(7)), None, "a session does not come back");
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s3", at(7)), Door::Open(Stage::In));
    });
}

#[test]
fn an_ended_post_ends_its_sessions_and_can_be_given_again() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        sign_in(&store, "liumin", PASSWORD, "s", at(5));
        let (by, held) = (admin.clone(), {
            let by = admin.clone();
            store.read(move |tx| accounts::account(tx, &by, id, at(5))).unwrap().posts[0].id
        });
        store.write(move |tx| accounts::end_post(tx, &by, id, held, at(6))).unwrap();
        assert_eq!(who(&store, "s", at(6)), None);
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s2", at(6)), Door::NoPost);
        let by = admin.clone();
        store.write(move |tx| accounts::restore_post(tx, &by, id, held, at(7))).unwrap();
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s3", at(7)), Door::Open(Stage::In));
        let by = admin.clone();
        let again = store.write(move |tx| accounts::restore_post(tx, &by, id, held, at(8)));
        assert_eq!(refused(again), AccountRefusal::Post(PostRefusal::Already));
    });
}

#[test]
fn another_countys_accounts_do_not_exist() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410203")));
        let other = county(&admin, "410202");
        let by = other.clone();
        assert!(matches!(store.read(move |tx| accounts::account(tx, &by, id, at(5))), Err(No::NotFound)));
        let by = other.clone();
        assert!(matches!(store.write(move |tx| accounts::close(tx, &by, id, at(5))), Err(No::NotFound)));
        let by = other.clone();
        let found =
            store.read(move |tx| accounts::accounts(tx, &by, &Filter::default(), 0, 50, at(5))).unwrap();
        assert_eq!((found.total, found.lines.len()), (0, 0));
        // An account with a second post elsewhere is seen, but its whole is not one's to change.
        let by = admin.clone();
        let here = post(Role::Dispatcher, region("410202"));
        store.write(move |tx| accounts::give_post(tx, &by, id, &here, at(5))).unwrap();
        let by = other.clone();
        let line = store.read(move |tx| accounts::account(tx, &by, id, at(5))).unwrap();
        assert_eq!(line.posts.len(), 1, "the other county's post is not shown");
        let by = other.clone();
        assert_eq!(
            refused(store.write(move |tx| accounts::close(tx, &by, id, at(5)))),
            AccountRefusal::BeyondRange
        );
    });
}

#[test]
fn the_list_finds_by_name_role_region_and_state() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        invite(&store, &admin, "wang_qiang", post(Role::Finance, region("410203"))).unwrap();
        let find = |filter: Filter| {
            let by = admin.clone();
            let found = store.read(move |tx| accounts::accounts(tx, &by, &filter, 0, 50, at(5))).unwrap();
            assert_eq!(found.total, i64::try_from(found.lines.len()).unwrap());
            found.lines.into_iter().map(|line| line.username).collect::<Vec<_>>()
        };
        let all = Filter::default();
        assert_eq!(find(all.clone()), ["wang_qiang", "liumin", "root.admin"]);
        assert_eq!(find(Filter { text: "g_q".into(), ..all.clone() }), ["wang_qiang"]);
        assert_eq!(find(Filter { text: "%".into(), ..all.clone() }), [""; 0]);
        assert_eq!(find(Filter { text: "刘".into(), ..all.clone() }), ["wang_qiang", "liumin"]);
        assert_eq!(find(Filter { role: Some(Role::Agent), ..all.clone() }), ["liumin"]);
        assert_eq!(find(Filter { range: Some(region("410203")), ..all.clone() }), ["wang_qiang"]);
        assert_eq!(find(Filter { state: Some(AccountState::Invited), ..all.clone() }), ["wang_qiang"]);
        for n in 0..5 {
            sign_in(&store, "liumin", "wrong", "s", at(4 + n / 5));
        }
        assert_eq!(find(Filter { state: Some(AccountState::Locked), ..all.clone() }), ["liumin"]);
        assert_eq!(find(Filter { state: Some(AccountState::Active), ..all.clone() }), ["root.admin"]);
        assert_eq!(find(Filter { state: Some(AccountState::Closed), ..all }), [""; 0]);
    });
}
