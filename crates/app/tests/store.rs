//! The store keeps its promises on both databases: groups, conflicts, names of constraints, evidence that tells.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use app::{
    evidence::{self, Event, SealFile, Trouble},
    ledger::{self, NewAccount},
    outcome::{Never, No},
    p,
    store::{Fault, FaultKind, Place, Store, Tx},
};
use city::testing::{Bed, on_both, on_both_beds, open};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, LedgerId},
    ledger::AccountKind,
    programmes::Asset,
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};
use serde_json::json;
use sha2::{Digest, Sha256};

const KEEP: &str = "INSERT INTO setting (name, value) VALUES (?1, ?2)";
const CHANGE: &str = "UPDATE setting SET value = ?2 WHERE name = ?1";
const READ: &str = "SELECT value FROM setting WHERE name = ?1";

fn now() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn officer() -> Actor {
    Actor {
        account: AccountId(9),
        name: "王敏".into(),
        role: Role::StreetOfficer,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}

fn value(store: &Store, name: &'static str) -> Option<String> {
    store.read(move |tx| tx.find(READ, p![name], |row| row.get(0))).unwrap()
}

fn keep(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), Fault> {
    tx.execute_one(KEEP, p![name, value])
}

/// Speaks to the database behind the store's back.
fn behind_its_back(bed: &Bed, sql: &str) {
    match &bed.place {
        Place::Folder(folder) => {
            let conn = rusqlite::Connection::open(folder.join("xiyang.db")).unwrap();
            conn.busy_timeout(Duration::from_secs(10)).unwrap();
            conn.execute_batch(sql).unwrap();
        }
        Place::Postgres(address) => {
            postgres::Client::connect(address, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        }
    }
}

#[test]
fn both_databases_understand_every_statement() {
    on_both(|store| {
        let all = app::all_statements();
        assert!(all.len() > 15, "the list of statements is not empty");
        let bad: Vec<String> = all
            .into_iter()
            .filter_map(|(area, name, sql)| {
                let said = store.read(move |tx| tx.prepare(sql)).err()?;
                Some(format!("{area} {name}: {}", said.message))
            })
            .collect();
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    });
}

#[test]
fn opening_again_finds_the_schema_and_the_rows() {
    on_both_beds(|bed| {
        bed.store.write(|tx| keep(tx, "city", "开封")).unwrap();
        let again = open(&bed.place);
        assert_eq!(value(&again, "city").as_deref(), Some("开封"));
    });
}

#[test]
fn a_refused_command_rolls_back_only_itself() {
    on_both(|store| {
        let (send, answers) = mpsc::channel();
        // Sent without waiting, so that SQLite's writer takes many of them into one group.
        for n in 0..60 {
            let send = send.clone();
            store.write_then(
                move |tx| {
                    tx.execute_one(KEEP, p![format!("n{n}"), "x"])?;
                    if n % 3 == 0 { Err(Fault::other("refused")) } else { Ok(n) }
                },
                move |answer: Result<i32, Fault>| send.send((n, answer.is_ok())).unwrap(),
            );
        }
        drop(send);
        let kept = answers.iter().filter(|(n, ok)| {
            assert_eq!(*ok, n % 3 != 0, "command {n}");
            *ok
        });
        assert_eq!(kept.count(), 40);
        assert_eq!(value(&store, "n0"), None);
        assert_eq!(value(&store, "n1").as_deref(), Some("x"));
        assert_eq!(value(&store, "n59").as_deref(), Some("x"));
    });
}

#[test]
fn a_panicking_command_harms_no_other() {
    on_both(|store| {
        let (send, answers) = mpsc::channel();
        for n in 0..20 {
            let send = send.clone();
            store.write_then(
                move |tx| {
                    tx.execute_one(KEEP, p![format!("n{n}"), "x"])?;
                    assert!(n != 7, "seven is too much");
                    Ok(())
                },
                move |answer: Result<(), Fault>| send.send((n, answer)).unwrap(),
            );
        }
        drop(send);
        for (n, answer) in answers {
            match answer {
                Ok(()) => assert_ne!(n, 7),
                Err(fault) => {
                    assert_eq!(n, 7, "{fault}");
                    assert!(fault.message.contains("seven is too much"), "{fault}");
                }
            }
        }
        assert_eq!(value(&store, "n7"), None);
        assert_eq!(value(&store, "n8").as_deref(), Some("x"));
    });
}

#[test]
fn constraints_have_the_same_names_on_both() {
    const ACCOUNT: &str = "INSERT INTO account (id, username, name, created_at) VALUES (?1, 'wang', '王', 0)";
    const LEDGER: &str = "INSERT INTO ledger_account
            (id, asset, kind, owner, code, region, name, guarded, debits_posted, credits_posted)
        VALUES (1, 'fen', 'person', 1, '', 0, '', 1, 101, 100)";
    on_both(|store| {
        store.write(|tx| tx.execute_one(ACCOUNT, p![1_i64])).unwrap();
        let fault = store.write(|tx| tx.execute_one(ACCOUNT, p![2_i64])).unwrap_err();
        assert!(fault.broke("one_username"), "{:?}", fault.kind);
        let fault = store.write(|tx| tx.execute_one(LEDGER, p![])).unwrap_err();
        assert!(fault.broke("never_overdrawn"), "{:?}", fault.kind);
    });
}

#[test]
fn two_who_change_the_same_row_both_succeed() {
    on_both(|store| {
        store.write(|tx| keep(tx, "count", "0")).unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let (send, answers) = mpsc::channel();
        for _ in 0..2 {
            let (send, runs) = (send.clone(), Arc::clone(&runs));
            store.write_then(
                move |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let seen: String = tx.one(READ, p!["count"], |row| row.get(0))?;
                    // Long enough that the other has read the same.
                    std::thread::sleep(Duration::from_millis(60));
                    let next = (seen.parse::<i64>().unwrap() + 1).to_string();
                    tx.execute_one(CHANGE, p!["count", next])
                },
                move |answer: Result<(), Fault>| send.send(answer).unwrap(),
            );
        }
        drop(send);
        for answer in answers {
            answer.unwrap();
        }
        assert_eq!(value(&store, "count").as_deref(), Some("2"));
        let side_by_side = store.dialect() == app::store::Dialect::Postgres;
        assert_eq!(runs.load(Ordering::SeqCst), if side_by_side { 3 } else { 2 });
    });
}

#[test]
fn a_command_that_never_gets_through_says_so() {
    on_both(|store| {
        let fault = store.write(|tx| tx.execute_one(CHANGE, p!["absent", "x"])).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict);
    });
}

#[test]
fn questions_cannot_write_on_sqlite() {
    let bed = Bed::sqlite();
    assert!(bed.store.read(|tx| keep(tx, "a", "b")).is_err());
    assert_eq!(value(&bed.store, "a"), None);
}

#[test]
fn ids_come_from_the_moment_they_are_given() {
    on_both(|store| {
        let at = |minutes| Now(now().0.plus_minutes(minutes));
        let (a, b, c) =
            store.write(move |tx| Ok::<_, Fault>((tx.id(at(0)), tx.id(at(0)), tx.id(at(5))))).unwrap();
        assert!(a < b && b < c);
        // The same moment and the same process give the same first id, on whichever database.
        assert_eq!(a, ((now().0.0 / 1000 - 1_704_067_200_000) << 22) | 1);
        assert_eq!(a & 0xff, 1, "the last bits tell the process");
    });
}

// ---- evidence ------------------------------------------------------------------------------------------------

fn happened(store: &Store, count: i64) {
    let region = RegionCode::parse("410202").unwrap();
    for n in 0..count {
        store
            .write(move |tx| {
                tx.record(&officer(), now(), Event::new("person.corrected", 100 + n, region, json!({"n": n})))
            })
            .unwrap();
    }
}

fn seals(bed: &Bed) -> SealFile {
    SealFile::in_folder(bed.folder())
}

fn troubles(bed: &Bed) -> Vec<Trouble> {
    let outside = seals(bed);
    bed.store.read(move |tx| evidence::verify_chain(tx, &outside, |_| {})).unwrap().0
}

/// Two sealed batches of three rows and one row that is not sealed yet.
fn sealed(bed: &Bed) {
    for _ in 0..2 {
        happened(&bed.store, 3);
        assert_eq!(evidence::seal(&bed.store, &seals(bed), now()).unwrap().rows, 3);
    }
    happened(&bed.store, 1);
    assert_eq!(troubles(bed), []);
}

#[test]
fn an_untouched_log_verifies_and_is_sealed_once() {
    on_both_beds(|bed| {
        sealed(bed);
        assert_eq!(evidence::seal(&bed.store, &seals(bed), now()).unwrap().rows, 1);
        assert_eq!(evidence::seal(&bed.store, &seals(bed), now()).unwrap().rows, 0);
        let outside = seals(bed);
        let seen = bed.store.read(move |tx| evidence::verify_chain(tx, &outside, |_| {})).unwrap();
        assert_eq!(seen, (vec![], 7));
    });
}

#[test]
fn a_refused_command_leaves_no_evidence_and_no_hole_that_looks_like_fraud() {
    on_both_beds(|bed| {
        happened(&bed.store, 1);
        let refused = bed.store.write(|tx| {
            let region = RegionCode::parse("410202").unwrap();
            tx.record(&officer(), now(), Event::new("person.corrected", 1, region, json!({})))?;
            Err::<(), No<Never>>(No::NotFound)
        });
        assert!(matches!(refused, Err(No::NotFound)));
        happened(&bed.store, 1);
        assert_eq!(evidence::seal(&bed.store, &seals(bed), now()).unwrap().rows, 2);
        assert_eq!(troubles(bed), []);
    });
}

#[test]
fn sealing_beside_busy_writers_loses_no_row() {
    on_both_beds(|bed| {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| happened(&bed.store, 30));
            }
            for _ in 0..12 {
                evidence::seal(&bed.store, &seals(bed), now()).unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        evidence::seal(&bed.store, &seals(bed), now()).unwrap();
        let outside = seals(bed);
        let seen = bed.store.read(move |tx| evidence::verify_chain(tx, &outside, |_| {})).unwrap();
        assert_eq!(seen, (vec![], 180));
    });
}

#[test]
fn a_changed_detail_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(bed, "UPDATE evidence SET detail = '{\"n\":2}' WHERE seq = 2");
        assert_eq!(troubles(bed), [Trouble::Changed { seq: 2 }]);
    });
}

#[test]
fn a_deleted_sealed_row_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(bed, "DELETE FROM evidence WHERE seq = 5");
        assert_eq!(troubles(bed), [Trouble::Batch { batch: 2, sealed: 3, found: 2 }]);
    });
}

#[test]
fn two_rows_that_changed_places_are_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(
            bed,
            "UPDATE evidence SET seq = 1000 WHERE seq = 1; UPDATE evidence SET seq = 1 WHERE seq = 2;
             UPDATE evidence SET seq = 2 WHERE seq = 1000",
        );
        assert_eq!(troubles(bed), [Trouble::Batch { batch: 1, sealed: 3, found: 3 }]);
    });
}

#[test]
fn a_tail_cut_off_with_its_seal_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(bed, "DELETE FROM evidence WHERE seq > 3; DELETE FROM seal WHERE batch = 2");
        assert_eq!(troubles(bed), [Trouble::CutOff { batch: 2 }]);
    });
}

#[test]
fn an_invented_row_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(
            bed,
            "INSERT INTO evidence (seq, at, by_account, role, act, subject, region, detail, mac)
             SELECT 900, at, by_account, role, act, 4711, region, detail, mac FROM evidence WHERE seq = 1",
        );
        assert_eq!(troubles(bed), [Trouble::Changed { seq: 900 }]);
    });
}

#[test]
fn a_batch_left_out_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        behind_its_back(bed, "DELETE FROM evidence WHERE seq <= 3; DELETE FROM seal WHERE batch = 1");
        let found = troubles(bed);
        assert!(found.contains(&Trouble::Gap { batch: 2 }), "{found:?}");
    });
}

/// The best a superuser without the key can do: take a row out and compute the digest of what is left.
#[test]
fn a_seal_made_without_the_key_is_found() {
    on_both_beds(|bed| {
        sealed(bed);
        let rows: Vec<(i64, Vec<u8>)> = bed
            .store
            .read(|tx| {
                tx.all("SELECT seq, mac FROM evidence WHERE seq IN (4, 6) ORDER BY seq", p![], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
            })
            .unwrap();
        let before: Vec<u8> = bed
            .store
            .read(|tx| tx.one("SELECT digest FROM seal WHERE batch = 1", p![], |row| row.get(0)))
            .unwrap();
        let mut hash = Sha256::new();
        hash.update(before);
        for (seq, mac) in rows {
            hash.update(seq.to_be_bytes());
            hash.update(mac);
        }
        let digest = hash.finalize().to_vec();
        bed.store
            .write(move |tx| {
                tx.execute_one("DELETE FROM evidence WHERE seq = ?1", p![5_i64])?;
                tx.execute_one("UPDATE seal SET digest = ?1, rows_sealed = 2 WHERE batch = 2", p![digest])
            })
            .unwrap();
        assert_eq!(troubles(bed), [Trouble::Signature { batch: 2 }, Trouble::CutOff { batch: 2 }]);
    });
}

#[test]
fn what_was_recorded_is_told_to_others() {
    on_both(|store| {
        let heard = Arc::new(AtomicU32::new(0));
        let ear = Arc::clone(&heard);
        store.on_told(move || {
            ear.fetch_add(1, Ordering::SeqCst);
        });
        happened(&store, 2);
        let told = store.read(|tx| evidence::told_after(tx, 0, 10)).unwrap();
        let topics: Vec<_> = told.iter().map(|t| (t.topic.as_str(), t.subject)).collect();
        assert_eq!(topics, [("person.corrected", 100), ("person.corrected", 101)]);
        // The bell rings after the answer, so it may still be on its way.
        let deadline = 100;
        for _ in 0..deadline {
            if heard.load(Ordering::SeqCst) == 2 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the listener was called {} times", heard.load(Ordering::SeqCst));
    });
}

/// The account of somebody, opened where it is not there yet.
fn account_of(tx: &mut Tx<'_>) -> Result<LedgerId, Fault> {
    let new = NewAccount {
        kind: AccountKind::Elder,
        owner: 7,
        code: String::new(),
        asset: Asset::Fen,
        region: RegionCode::parse("410202").unwrap(),
        name: "老人自付".to_owned(),
        guarded: false,
    };
    ledger::open_account(tx, &new, now())
}

#[test]
fn an_id_is_remembered_only_once_its_row_is_there_to_stay() {
    on_both(|store| {
        let refused: Result<(), Fault> = store.write(|tx| {
            let opened = account_of(tx)?;
            assert_eq!(account_of(tx)?, opened, "it is found by the command that made it");
            Err(Fault::other("refused after all"))
        });
        assert!(refused.is_err());
        let id = store.write(account_of).unwrap();
        let there = |id: LedgerId| -> i64 {
            let rows = "SELECT COUNT(*) FROM ledger_account WHERE id = ?1";
            store.read(move |tx| tx.one(rows, p![id], |row| row.get(0))).unwrap()
        };
        assert_eq!(there(id), 1, "what is remembered is a row");
        for _ in 0..3 {
            assert_eq!(store.write(account_of).unwrap(), id);
        }
    });
}
