//! The door: who comes in, who does not, and who may open it for whom.

mod posts;

use app::{
    evidence,
    outcome::No,
    parties::accounts::{
        self, AccountRefusal, AccountState, Device, Door, Filter, Invited, NewAccount, NewPost, NewToken,
        Password, Stage, TokenFor, token_hash,
    },
    settings,
    store::{Fault, Store},
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, PostId, ProviderId},
    parties::account::{PostRefusal, Username},
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "harbour-lamp-19";

fn at(minutes: i64) -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap().plus_minutes(minutes))
}

fn region(text: &str) -> RegionRange {
    RegionCode::parse(text).unwrap().range()
}

fn post(role: Role, range: RegionRange) -> NewPost {
    NewPost { role, range, provider: None, carer: None }
}

fn device(token: &str) -> Device {
    Device { token: token_hash(token), agent: "Chrome · Windows".into() }
}

/// An administrator of these regions, made straight from the first code.
fn administrator(store: &Store) -> Actor {
    let code = token_hash("first");
    let username = Username::parse("root.admin").unwrap();
    let password = Password::parse(PASSWORD, &username).unwrap().hash([1; 16]);
    let id = store
        .write(move |tx| {
            accounts::first_code(tx, code, at(0))?;
            accounts::claim_first(tx, code, &username, "赵管理", &password, at(1))
        })
        .unwrap();
    Actor {
        account: id,
        name: "赵管理".into(),
        role: Role::Administrator,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

fn county(admin: &Actor, code: &str) -> Actor {
    Actor { account: AccountId(77), range: region(code), ..admin.clone() }
}

fn invite(store: &Store, by: &Actor, username: &str, new: NewPost) -> Result<AccountId, No<AccountRefusal>> {
    let by = by.clone();
    let new = NewAccount { username: username.into(), name: "刘敏".into(), post: new };
    store.write(move |tx| accounts::invite(tx, &by, &new, Some(token_hash(&new.username)), at(2)))
}

/// An account whose owner has set the password.
fn member(store: &Store, by: &Actor, username: &'static str, new: NewPost) -> AccountId {
    let id = invite(store, by, username, new).unwrap();
    let code = token_hash(username);
    store
        .write(move |tx| {
            let invited = Invited::by(tx, code, at(3))?;
            let hash = invited.password(PASSWORD).unwrap().hash([2; 16]);
            Invited::accept(tx, code, &hash, at(3))
        })
        .unwrap();
    id
}

fn sign_in(store: &Store, username: &str, password: &str, token: &str, now: Now) -> Door {
    let typed = username.to_owned();
    let challenge = store.read(move |tx| accounts::challenge(tx, &typed)).unwrap();
    let (answered, device) = (challenge.answer(password), device(token));
    store.write(move |tx| accounts::sign_in(tx, &answered, &device, now)).unwrap()
}

fn who(store: &Store, token: &str, now: Now) -> Option<Actor> {
    let token = token_hash(token);
    store.read(move |tx| accounts::actor_of_session(tx, token, now)).unwrap().map(|(actor, _)| actor)
}

fn refused<T: std::fmt::Debug>(answer: Result<T, No<AccountRefusal>>) -> AccountRefusal {
    match answer {
        Err(No::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// What the telephone shows.
fn code(secret: &str, now: Now) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(now.0.0 / 1_000_000).unwrap()).to_string()
}

/// Sets up a second factor in a session and answers its secret.
fn enrol(store: &Store, token: &str, now: Now) -> String {
    let token = token_hash(token);
    let enrolment = store.write(move |tx| accounts::enrolment(tx, token, [9; 20], now)).unwrap();
    let first = code(&enrolment.secret, now);
    let door = store.write(move |tx| accounts::confirm_enrolment(tx, token, "", &first, now)).unwrap();
    assert_eq!(door, Door::Open(Stage::In));
    enrolment.secret
}

fn prove(store: &Store, token: &str, code: String, now: Now) -> Result<Door, No<AccountRefusal>> {
    let token = token_hash(token);
    store.write(move |tx| accounts::prove(tx, token, &code, now))
}

fn acts(store: &Store) -> Vec<String> {
    let told = store.read(|tx| evidence::told_after(tx, 0, 500)).unwrap();
    told.into_iter().map(|t| t.topic).collect()
}

#[test]
fn the_first_code_makes_one_administrator_and_no_second() {
    on_both(|store| {
        let admin = administrator(&store);
        assert_eq!(acts(&store), ["account.first_claimed"]);
        assert_eq!(
            refused(store.write(|tx| accounts::first_code(tx, token_hash("again"), at(2)))),
            AccountRefusal::NotFirst
        );
        let username = Username::parse("second").unwrap();
        let hash = Password::parse(PASSWORD, &username).unwrap().hash([1; 16]);
        let again = store
            .write(move |tx| accounts::claim_first(tx, token_hash("first"), &username, "乙", &hash, at(2)));
        assert_eq!(refused(again), AccountRefusal::NotFirst);
        // An administrator must set up a second factor before anything else.
        assert_eq!(sign_in(&store, "root.admin", PASSWORD, "s", at(5)), Door::Open(Stage::Enrol));
        assert_eq!(who(&store, "s", at(5)), None);
        enrol(&store, "s", at(5));
        assert_eq!(who(&store, "s", at(6)), Some(admin));
    });
}

#[test]
fn a_first_code_expires_and_only_the_newest_counts() {
    on_both(|store| {
        let claim = |code: &'static str, now| {
            let username = Username::parse("root.admin").unwrap();
            let hash = Password::parse(PASSWORD, &username).unwrap().hash([1; 16]);
            store.write(move |tx| accounts::claim_first(tx, token_hash(code), &username, "甲", &hash, now))
        };
        store.write(|tx| accounts::first_code(tx, token_hash("a"), at(0))).unwrap();
        store.write(|tx| accounts::first_code(tx, token_hash("b"), at(10))).unwrap();
        assert_eq!(refused(claim("a", at(11))), AccountRefusal::CodeGone);
        assert_eq!(refused(claim("b", at(10 + 24 * 60))), AccountRefusal::CodeGone);
        assert_eq!(refused(claim("never", at(11))), AccountRefusal::CodeGone);
        assert!(claim("b", at(12)).is_ok());
    });
}

#[test]
fn an_unknown_name_and_a_wrong_password_look_alike() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        for name in ["liumin", "nobody", "never-there"] {
            for n in 0..4 {
                assert_eq!(sign_in(&store, name, "wrong-password", "s", at(10 + n)), Door::Wrong, "{name}");
            }
            assert_eq!(sign_in(&store, name, "wrong-password", "s", at(14)), Door::Locked(15), "{name}");
            // Locked also for the right password, whoever types it.
            assert_eq!(sign_in(&store, name, PASSWORD, "s", at(20)), Door::Locked(9), "{name}");
        }
        assert_eq!(sign_in(&store, "nobody", PASSWORD, "s", at(30)), Door::Wrong);
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s", at(30)), Door::Open(Stage::In));
        assert_eq!(acts(&store).iter().filter(|act| *act == "account.locked").count(), 1);
    });
}

#[test]
fn an_invited_person_cannot_sign_in_before_setting_a_password() {
    on_both(|store| {
        let admin = administrator(&store);
        invite(&store, &admin, "liumin", post(Role::Agent, region("410202"))).unwrap();
        assert_eq!(sign_in(&store, "liumin", "", "s", at(5)), Door::Wrong);
        let by = |now| store.read(move |tx| Invited::by(tx, token_hash("liumin"), now));
        assert_eq!(by(at(5)).unwrap().username.as_str(), "liumin");
        assert_eq!(refused(by(at(3 * 24 * 60 + 2))), AccountRefusal::CodeGone);
    });
}

#[test]
fn an_invitation_is_good_once_and_a_new_one_voids_the_old() {
    on_both(|store| {
        let admin = administrator(&store);
        let id = member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        let accept = |code: &'static str| {
            let username = Username::parse("liumin").unwrap();
            let hash = Password::parse("another-lamp-20", &username).unwrap().hash([4; 16]);
            store.write(move |tx| Invited::accept(tx, token_hash(code), &hash, at(9)))
        };
        assert_eq!(refused(accept("liumin")), AccountRefusal::CodeGone);
        for code in ["one", "two"] {
            let admin = admin.clone();
            store.write(move |tx| accounts::invite_again(tx, &admin, id, token_hash(code), at(8))).unwrap();
        }
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "old", at(8)), Door::Open(Stage::In));
        assert_eq!(refused(accept("one")), AccountRefusal::CodeGone);
        accept("two").unwrap();
        assert_eq!(who(&store, "old", at(9)), None, "a new password ends old sessions");
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "s", at(9)), Door::Wrong);
        assert_eq!(sign_in(&store, "liumin", "another-lamp-20", "s", at(9)), Door::Open(Stage::In));
    });
}

#[test]
fn a_session_ends_after_twelve_hours_or_when_one_leaves() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        sign_in(&store, "liumin", PASSWORD, "a", at(10));
        sign_in(&store, "liumin", PASSWORD, "b", at(10));
        assert!(who(&store, "a", at(10 + 12 * 60 - 1)).is_some());
        assert_eq!(who(&store, "a", at(10 + 12 * 60)), None, "twelve hours, however busy");
        store.write(|tx| accounts::sign_out(tx, token_hash("a"), at(11))).unwrap();
        assert_eq!(who(&store, "a", at(11)), None);
        assert!(who(&store, "b", at(11)).is_some());
        store.write(|tx| accounts::sign_out(tx, token_hash("a"), at(11))).unwrap();
    });
}

#[test]
fn a_code_is_good_once_and_five_wrong_ones_lock() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "caiwu", post(Role::Finance, region("4102")));
        assert_eq!(sign_in(&store, "caiwu", PASSWORD, "a", at(10)), Door::Open(Stage::Enrol));
        let secret = enrol(&store, "a", at(10));
        assert_eq!(sign_in(&store, "caiwu", PASSWORD, "b", at(10)), Door::Open(Stage::Code));
        assert_eq!(who(&store, "b", at(10)), None, "the password alone is not enough");
        // The code that enrolled is used up; the next one is good, once.
        assert_eq!(prove(&store, "b", code(&secret, at(10)), at(10)).unwrap(), Door::Wrong);
        let next = code(&secret, at(11));
        assert_eq!(prove(&store, "b", next.clone(), at(11)).unwrap(), Door::Open(Stage::In));
        assert_eq!(sign_in(&store, "caiwu", PASSWORD, "c", at(11)), Door::Open(Stage::Code));
        assert_eq!(prove(&store, "c", next, at(11)).unwrap(), Door::Wrong);
        for _ in 0..3 {
            assert_eq!(prove(&store, "c", "00000".into(), at(11)).unwrap(), Door::Wrong);
        }
        assert_eq!(prove(&store, "c", "00000".into(), at(11)).unwrap(), Door::Locked(15));
        assert_eq!(refused(prove(&store, "c", code(&secret, at(30)), at(12))), AccountRefusal::Begin);
    });
}

#[test]
fn a_half_open_session_cannot_replace_the_second_factor() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "caiwu", post(Role::Finance, region("4102")));
        sign_in(&store, "caiwu", PASSWORD, "a", at(10));
        enrol(&store, "a", at(10));
        sign_in(&store, "caiwu", PASSWORD, "thief", at(12));
        let token = token_hash("thief");
        let new = store.write(move |tx| accounts::enrolment(tx, token, [8; 20], at(12))).unwrap();
        let first = code(&new.secret, at(12));
        let taken = store.write(move |tx| accounts::confirm_enrolment(tx, token, "", &first, at(12)));
        assert_eq!(refused(taken), AccountRefusal::Begin);
    });
}

#[test]
fn removing_the_factor_needs_a_code_and_no_post_that_asks_for_one() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        member(&store, &admin, "caiwu", post(Role::Finance, region("4102")));
        sign_in(&store, "liumin", PASSWORD, "l", at(10));
        sign_in(&store, "caiwu", PASSWORD, "c", at(10));
        let (mine, theirs) = (enrol(&store, "l", at(10)), enrol(&store, "c", at(10)));
        let remove = |token: &'static str, code: String| {
            store.write(move |tx| accounts::remove_own_factor(tx, token_hash(token), &code, at(11)))
        };
        assert_eq!(refused(remove("c", code(&theirs, at(11)))), AccountRefusal::FactorNeeded);
        assert_eq!(remove("l", "123".into()).unwrap(), Door::Wrong);
        assert_eq!(remove("l", code(&mine, at(11))).unwrap(), Door::Open(Stage::In));
        assert_eq!(sign_in(&store, "liumin", PASSWORD, "m", at(12)), Door::Open(Stage::In));
    });
}

#[test]
fn a_token_acts_as_a_program_until_it_is_revoked_or_expires() {
    on_both(|store| {
        let admin = administrator(&store);
        let make = |by: &Actor, days, holder, token: &'static str| {
            let by = by.clone();
            let new = NewToken { name: "12349 电话系统".into(), holder, days };
            store.write(move |tx| {
                accounts::make_token(tx, &by, token_hash("none"), &new, token_hash(token), at(5))
            })
        };
        let county_only = |code| TokenFor::Program { range: region(code), provider: None };
        let id = make(&admin, 30, county_only("410202"), "t").unwrap();
        let behind = |now| {
            store.read(move |tx| accounts::actor_of_token(tx, token_hash("t"), now)).unwrap().map(|(a, _)| a)
        };
        let actor = behind(at(6)).unwrap();
        assert_eq!((actor.role, actor.range), (Role::System, region("410202")));
        assert_eq!(actor.name, "12349 电话系统");
        assert_ne!(actor.account, admin.account, "the log tells the program from the person");
        assert_eq!(behind(at(30 * 24 * 60 + 5)), None);

        assert_eq!(refused(make(&admin, 0, county_only("410202"), "u")), AccountRefusal::Expiry);
        assert_eq!(refused(make(&admin, 366, county_only("410202"), "u")), AccountRefusal::Expiry);
        let other = county(&admin, "410203");
        assert_eq!(
            refused(make(&other, 9, county_only("410202"), "u")),
            AccountRefusal::Post(PostRefusal::OutsideRange)
        );
        let by = other.clone();
        assert!(matches!(
            store.write(move |tx| accounts::revoke_token(tx, &by, id, at(7))),
            Err(No::NotFound)
        ));
        let by = admin.clone();
        store.write(move |tx| accounts::revoke_token(tx, &by, id, at(7))).unwrap();
        assert_eq!(behind(at(7)), None);
        let by = admin.clone();
        let lines = store.read(move |tx| accounts::tokens(tx, &by)).unwrap();
        assert_eq!((lines.len(), lines[0].revoked), (1, Some(at(7).0)));
    });
}

#[test]
fn changing_the_password_needs_the_old_one_and_ends_other_devices() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        sign_in(&store, "liumin", PASSWORD, "here", at(5));
        sign_in(&store, "liumin", PASSWORD, "there", at(5));
        let change = |old: &'static str| {
            let username = Username::parse("liumin").unwrap();
            let hash = Password::parse("another-lamp-20", &username).unwrap().hash([4; 16]);
            let challenge = store.read(|tx| accounts::challenge(tx, "liumin")).unwrap();
            let answered = challenge.answer(old);
            store.write(move |tx| accounts::change_password(tx, token_hash("here"), &answered, &hash, at(6)))
        };
        assert_eq!(change("wrong").unwrap(), Door::Wrong);
        assert!(who(&store, "there", at(6)).is_some());
        assert_eq!(change(PASSWORD).unwrap(), Door::Open(Stage::In));
        assert!(who(&store, "here", at(6)).is_some());
        assert_eq!(who(&store, "there", at(6)), None);
    });
}

#[test]
fn ones_own_devices_are_listed_and_ended() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "liumin", post(Role::Agent, region("410202")));
        member(&store, &admin, "wangqiang", post(Role::Agent, region("410202")));
        for token in ["here", "there"] {
            sign_in(&store, "liumin", PASSWORD, token, at(5));
        }
        sign_in(&store, "wangqiang", PASSWORD, "other", at(5));
        let own = |token: &'static str| {
            store.read(move |tx| accounts::own_account(tx, token_hash(token), at(6))).unwrap().sessions
        };
        let (mine, others) = (own("here"), own("other"));
        assert_eq!(mine.iter().map(|s| s.this).collect::<Vec<_>>(), [false, true]);
        assert_eq!(mine[0].agent, "Chrome · Windows");
        let end = |id| store.write(move |tx| accounts::end_session(tx, token_hash("here"), id, at(6)));
        assert!(matches!(end(others[0].id), Err(No::NotFound)), "nobody ends a stranger's session");
        end(mine[0].id).unwrap();
        assert_eq!(who(&store, "there", at(6)), None);
        assert!(who(&store, "here", at(6)).is_some() && who(&store, "other", at(6)).is_some());
    });
}

#[test]
fn secrets_stand_nowhere_in_the_clear() {
    on_both(|store| {
        let admin = administrator(&store);
        member(&store, &admin, "caiwu", post(Role::Finance, region("4102")));
        sign_in(&store, "caiwu", PASSWORD, "session-token", at(5));
        let secret = enrol(&store, "session-token", at(5));
        let blobs: Vec<Vec<u8>> = store
            .read(|tx| {
                let mut all = tx.all(
                    "SELECT totp_secret FROM account WHERE totp_secret IS NOT NULL",
                    app::p![],
                    |row| row.get(0),
                )?;
                all.extend(tx.all("SELECT token_hash FROM session", app::p![], |row| row.get(0))?);
                Ok::<_, Fault>(all)
            })
            .unwrap();
        for blob in blobs {
            let text = String::from_utf8_lossy(&blob).into_owned();
            assert!(!text.contains(&secret) && !text.contains("session-token"), "{text}");
        }
        let told = store
            .read(|tx| tx.all("SELECT detail FROM evidence", app::p![], |row| row.get::<String>(0)))
            .unwrap()
            .join(" ");
        for secret in [PASSWORD, &secret, "session-token", "argon2"] {
            assert!(!told.contains(secret), "{told}");
        }
    });
}

#[test]
fn the_demo_signs_in_only_those_who_have_a_post() {
    on_both(|store| {
        let admin = administrator(&store);
        invite(&store, &admin, "liumin", post(Role::Agent, region("410202"))).unwrap();
        let demo = |name: &'static str, token: &'static str| {
            store.write(move |tx| accounts::demo_session(tx, name, &device(token), at(5)))
        };
        assert!(matches!(demo("liumin", "x"), Err(No::NotFound)), "a real database has no such door");
        store.write(|tx| settings::set(tx, settings::DEMO, "yes")).unwrap();
        assert!(matches!(demo("nobody", "x"), Err(No::NotFound)));
        demo("liumin", "s").unwrap();
        assert_eq!(who(&store, "s", at(6)).unwrap().role, Role::Agent);
        assert!(acts(&store).contains(&"account.signed_in".to_owned()));
    });
}
