//! Lists become records in steps one can watch and stop, on both databases.

use std::{
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use app::{
    outcome::No,
    parties::{
        imports::{
            self, Choice, Counts, Fate, Import, ImportRefusal, Line, State, Upload, WorkerHandle,
            spawn_worker,
        },
        people,
        sheet::Field,
    },
    regions::{self, NewRegion},
    settings,
    store::Store,
};
use city::testing::on_both;
use domain::{
    access::{Actor, Role},
    ids::{AccountId, ImportId},
    parties::IdNumber,
    regions::{RegionCode, RegionRange},
    time::{At, Now},
};
use rust_xlsxwriter::{Format, Workbook};

/// The clock of a test: starts at nine and is put forward by hand.
#[derive(Clone)]
struct Clock {
    micros: Arc<AtomicI64>,
    /// How long a look at it takes, so that a worker can be stopped between two chunks.
    slow: Arc<AtomicU32>,
}

impl Clock {
    fn new() -> Clock {
        Clock { micros: Arc::new(AtomicI64::new(nine().0.0)), slow: Arc::new(AtomicU32::new(0)) }
    }

    fn now(&self) -> Now {
        Now(At(self.micros.load(Ordering::Relaxed)))
    }

    fn forward(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    fn worker(&self, store: &Store) -> WorkerHandle {
        let clock = self.clone();
        spawn_worker(
            store.clone(),
            Arc::new(move || {
                std::thread::sleep(Duration::from_millis(clock.slow.load(Ordering::Relaxed).into()));
                clock.now()
            }),
        )
    }
}

fn nine() -> Now {
    Now(At::parse("2026-11-21T09:00").unwrap())
}

fn code(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

fn clerk() -> Actor {
    actor(code("410202").range())
}

fn actor(range: RegionRange) -> Actor {
    Actor {
        account: AccountId(9),
        name: "王敏".into(),
        role: Role::StreetOfficer,
        range,
        provider: None,
        carer: None,
    }
}

fn city(store: &Store) {
    let row = |at: &str, name: &str| NewRegion { code: code(at), name: name.into() };
    let rows = vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row("410202001001", "理事厅社区"),
        row("410202001002", "东街社区"),
        row("410203", "顺河区"),
        row("410203001", "清平街道"),
        row("410203001001", "文昌社区"),
    ];
    store
        .write(move |tx| {
            regions::load(tx, &rows, nine())?;
            settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")
        })
        .unwrap();
}

/// The made-up number of the n-th woman.
fn id(n: usize) -> String {
    let born = jiff::civil::date(1930, 1, 1).checked_add(jiff::Span::new().days((n % 9_000) as i64)).unwrap();
    let first = format!("410299{}{:03}", born.strftime("%Y%m%d"), n / 9_000 * 2);
    let all = "0123456789X".chars().map(|last| format!("{first}{last}"));
    all.into_iter().find(|text| IdNumber::parse(text, true).is_ok()).unwrap()
}

fn upload(text: &str) -> Upload {
    Upload { file_name: "C:\\名单\\十一月.csv".into(), bytes: text.as_bytes().to_vec() }
}

/// A plain list of this many people, and some lines of one's own.
fn list(people: std::ops::Range<usize>, more: &[String]) -> Upload {
    let mut text = String::from("姓名,身份证号,联系电话,乡镇街道,村社区,门牌\n");
    for n in people {
        text += &format!("王秀英,{},13800001234,北道门街道,理事厅社区,{n}号\n", id(n));
    }
    for line in more {
        text += line;
        text.push('\n');
    }
    upload(&text)
}

fn start(store: &Store, upload: &Upload) -> ImportId {
    imports::start(store, &clerk(), upload, nine()).unwrap()
}

fn find(store: &Store, id: ImportId) -> Import {
    store.read(move |tx| imports::find(tx, &clerk(), id)).unwrap()
}

/// Waits until the import is in one of these states.
fn until(store: &Store, id: ImportId, there: impl Fn(&Import) -> bool) -> Import {
    for _ in 0..1_200 {
        let import = find(store, id);
        if there(&import) {
            return import;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("waited in vain: {:?}", find(store, id));
}

fn settled(store: &Store, id: ImportId) -> Import {
    until(store, id, |import| !import.state.running())
}

fn accept(store: &Store, id: ImportId) -> Result<(), ImportRefusal> {
    store.write(move |tx| imports::accept(tx, &clerk(), id, nine())).map_err(refusal)
}

fn refusal(no: No<ImportRefusal>) -> ImportRefusal {
    match no {
        No::Refused(refusal) => refusal,
        other => panic!("not a refusal: {other:?}"),
    }
}

fn problems(store: &Store, id: ImportId) -> Vec<Line> {
    store.read(move |tx| imports::problems(tx, &clerk(), id)).unwrap()
}

fn told(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let codes: Vec<_> = line.faults.iter().map(|fault| fault.code.as_str()).collect();
            format!("{} {} {}", line.row, line.fate.label(), codes.join(" "))
        })
        .collect()
}

fn counts(added: i64, changed: i64, unchanged: i64, rejected: i64) -> Counts {
    Counts { added, changed, unchanged, rejected, ..Counts::default() }
}

fn only_rows(counts: Counts) -> Counts {
    Counts { warned: 0, skipped: 0, ..counts }
}

/// People on the register.
fn registered(store: &Store) -> i64 {
    store.read(|tx| tx.one("SELECT COUNT(*) FROM person", app::p![], |row| row.get(0))).unwrap()
}

/// Reads and accepts a list to its end.
fn import(store: &Store, upload: &Upload) -> Import {
    let id = start(store, upload);
    settled(store, id);
    accept(store, id).unwrap();
    settled(store, id)
}

#[test]
fn nothing_is_stored_before_somebody_accepted_what_was_found() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let outside = format!("李桂芳,{},,清平街道,文昌社区,1号", id(500));
        let bad = "张德福,410299194002290012,,北道门街道,理事厅社区,1号".to_owned();
        let id = start(&store, &list(0..3, &[outside, bad, "合计,5,,,,".into()]));
        let ready = settled(&store, id);
        assert_eq!((ready.state, ready.file_name.as_str()), (State::Ready, "十一月.csv"));
        assert_eq!(ready.counts, Counts { skipped: 1, ..counts(3, 0, 0, 2) });
        assert_eq!(told(&problems(&store, id)), ["5 不能接受 region_unknown", "6 不能接受 id_check_digit"]);
        assert_eq!(registered(&store), 0);

        let (lines, pages) = store.read(move |tx| imports::lines(tx, &clerk(), id, 0)).unwrap();
        assert_eq!((pages, lines[0].row, lines[2].fate), (1, 5, Fate::Added), "problems come first");
        assert!(lines.iter().all(|line| line.id_no.contains('*')), "numbers are masked: {lines:?}");

        accept(&store, id).unwrap();
        let done = settled(&store, id);
        assert_eq!((done.state, only_rows(done.counts)), (State::Done, counts(3, 0, 0, 2)));
        assert_eq!(registered(&store), 3);
        assert_eq!(accept(&store, id), Err(ImportRefusal::Over(State::Done)));
        assert!(store.read(people::verify_people).unwrap().is_empty());
    });
}

#[test]
fn a_list_imported_again_changes_nothing_and_a_repaired_one_only_what_is_new() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let wrong = format!("刘玉兰,{},1380000,北道门街道,理事厅社区,9号", id(30));
        import(&store, &list(0..20, std::slice::from_ref(&wrong)));
        clock.forward(86_400);

        let again = start(&store, &list(0..20, std::slice::from_ref(&wrong)));
        assert_eq!(only_rows(settled(&store, again).counts), counts(0, 0, 20, 1));
        assert_eq!(accept(&store, again), Err(ImportRefusal::NothingToTake));

        let repaired = format!("刘玉兰,{},13800009999,北道门街道,东街社区,9号", id(30));
        let moved = format!("王秀英,{},13800001234,北道门街道,东街社区,0号", id(0));
        let third = import(&store, &list(1..20, &[repaired, moved]));
        assert_eq!(only_rows(third.counts), counts(1, 1, 19, 0));
        assert_eq!(registered(&store), 21);
        assert!(store.read(people::verify_people).unwrap().is_empty());
    });
}

#[test]
fn facts_contacts_and_a_missing_address_survive_a_second_list() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let number = id(1);
        let head = "姓名,身份证号,村社区,门牌,居住状况,困难类型,紧急联系人,紧急联系电话,备注\n";
        let full = format!("{head}王秀英,{number},理事厅社区,3号楼,独居,低保,王建国,13900005678,腿脚不便\n");
        assert_eq!(import(&store, &upload(&full)).counts.added, 1);
        let again = start(&store, &upload(&full));
        assert_eq!(settled(&store, again).counts.unchanged, 1, "a remark said twice is one remark");

        let bare = format!("姓名,身份证号,村社区,紧急联系电话\n王秀英,{number},理事厅社区,13900005678\n");
        let same = start(&store, &upload(&bare));
        assert_eq!(settled(&store, same).counts.unchanged, 1, "what a list does not say stays");

        // The first list said 独居 by mistake; the same day it is put right.
        let slip = full.replace("独居", "与子女同住");
        assert_eq!(only_rows(import(&store, &upload(&slip)).counts), counts(0, 1, 0, 0));
        let added = bare.replace("13900005678", "13700001111");
        import(&store, &upload(&added));
        let card = IdNumber::parse(&number, true).unwrap();
        let contacts: i64 =
            store.read(|tx| tx.one("SELECT COUNT(*) FROM contact", app::p![], |row| row.get(0))).unwrap();
        assert_eq!(contacts, 2, "{card:?}: who was to be called before is still to be called");

        let new = format!("姓名,身份证号,村社区\n李桂芳,{},理事厅社区\n", id(2));
        assert_eq!(import(&store, &upload(&new)).counts.added, 1, "the village stands in for the house");
        assert!(store.read(people::verify_people).unwrap().is_empty());
    });
}

#[test]
fn a_worker_that_dies_between_two_chunks_is_followed_by_one_that_goes_on() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let id = imports::accept_at_once(&store, &clerk(), &list(0..2_600, &[]), nine()).unwrap();
        clock.slow.store(120, Ordering::Relaxed);
        let worker = clock.worker(&store);
        let before = until(&store, id, |import| import.rows_done >= 500);
        drop(worker);
        let halted = find(&store, id);
        assert_eq!(halted.state, State::Storing, "an import outlives its worker: {before:?}");
        assert!(halted.rows_done < 2_600, "the worker was to stop in the middle");
        assert_eq!(registered(&store), halted.rows_done, "what is counted is what is stored");

        // As after kill -9: the dead worker still holds it for a while.
        let until = clock.now().0.plus_seconds(9);
        store
            .write(move |tx| {
                tx.execute("UPDATE import SET lease_until = ?1, worker = 77", app::p![until]).map(drop)
            })
            .unwrap();
        clock.slow.store(0, Ordering::Relaxed);
        let _worker = clock.worker(&store);
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(find(&store, id).rows_done, halted.rows_done, "nobody takes what another holds");
        clock.forward(10);
        let done = settled(&store, id);
        assert_eq!((done.state, done.rows_done), (State::Done, 2_600));
        assert_eq!(only_rows(done.counts), counts(2_600, 0, 0, 0), "no row is counted twice");
        assert_eq!(registered(&store), 2_600);
        assert!(store.read(people::verify_people).unwrap().is_empty());
    });
}

#[test]
fn whoever_stops_an_import_is_told_exactly_what_was_stored() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        clock.slow.store(120, Ordering::Relaxed);
        let _worker = clock.worker(&store);
        let id = imports::accept_at_once(&store, &clerk(), &list(0..3_000, &[]), nine()).unwrap();
        until(&store, id, |import| import.rows_done >= 500);
        let cancelled = store.write(move |tx| imports::cancel(tx, &clerk(), id, nine())).unwrap();
        assert_eq!(cancelled.state, State::Cancelled);
        std::thread::sleep(Duration::from_millis(800));
        let later = find(&store, id);
        assert_eq!((later.counts, later.rows_done), (cancelled.counts, cancelled.rows_done));
        assert_eq!(registered(&store), cancelled.counts.added);
        assert!(cancelled.counts.added < 3_000);
        let again = store.write(move |tx| imports::cancel(tx, &clerk(), id, nine())).map_err(refusal);
        assert_eq!(again.map(drop), Err(ImportRefusal::Over(State::Cancelled)));
        // The same file again takes up where it was left.
        clock.slow.store(0, Ordering::Relaxed);
        let rest = import(&store, &list(0..3_000, &[]));
        assert_eq!(rest.counts.unchanged, cancelled.counts.added);
        assert_eq!(registered(&store), 3_000);
    });
}

#[test]
fn a_messy_workbook_is_understood_and_goes_back_with_its_errors() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let messy = Upload { file_name: "高龄老人.xlsx".into(), bytes: messy() };
        let import_id = start(&store, &messy);
        let ready = settled(&store, import_id);
        assert_eq!((ready.state, ready.message.as_str()), (State::Ready, ""));
        assert_eq!(
            told(&problems(&store, import_id)),
            [
                "6 不能接受 id_spoiled",
                "7 不能接受 id_spoiled",
                "10 新登记 birth_differs",
                "11 不能接受 id_twice",
            ]
        );
        assert_eq!(ready.counts, Counts { warned: 1, skipped: 2, ..counts(3, 0, 0, 3) });
        let back = imports::file_back(&store, &clerk(), import_id).unwrap();
        assert_eq!(back.name, "高龄老人_错误说明.xlsx");
        let again = Upload { file_name: back.name, bytes: back.bytes };
        let second = start(&store, &again);
        let layout = {
            settled(&store, second);
            store.read(move |tx| imports::layout(tx, &clerk(), second)).unwrap()
        };
        assert!(
            layout.unwrap().columns.iter().any(|column| column.title == "错误说明" && column.field.is_none())
        );
        assert_eq!(find(&store, second).counts, ready.counts, "our own column does not disturb");
    });
}

/// Title lines, a header over two lines, blank lines, a total, and what Excel does to numbers.
fn messy() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Format::new();
    sheet.merge_range(0, 0, 0, 5, "北道门街道高龄老人花名册", &plain).unwrap();
    sheet.write_string(1, 0, "填报单位：北道门街道办事处").unwrap();
    sheet.merge_range(2, 1, 2, 2, "基本信息", &plain).unwrap();
    for (column, title) in [(0, "序号"), (3, "出生年月"), (4, "村（社区）"), (5, "联系电话")] {
        sheet.merge_range(2, column, 3, column, title, &plain).unwrap();
    }
    sheet.write_string(3, 1, "姓  名").unwrap();
    sheet.write_string(3, 2, "身份证号码").unwrap();
    let wide: String = id(40)
        .chars()
        .map(|c| if c == 'X' { 'Ｘ' } else { char::from_u32(c as u32 + 0xFEE0).unwrap() })
        .collect();
    let lines = [
        (4, "王秀英", wide, "", "理事厅社区居委会"),
        (5, "李桂芳", "4.10299E+17".to_owned(), "", "理事厅"),
        (6, "张德福", "410299193001030000".to_owned(), "", "东街社区"),
        (8, "刘 玉 兰", id(41), "30-02-11", "东街社区"),
        (9, "陈凤英", id(42), "1950-01-01", "东街社区"),
        (10, "陈凤英", id(42), "", "东街社区"),
    ];
    for (row, name, number, born, village) in lines {
        sheet.write_number(row, 0, f64::from(row)).unwrap();
        sheet.write_string(row, 1, name).unwrap();
        sheet.write_string(row, 2, number).unwrap();
        sheet.write_string(row, 3, born).unwrap();
        sheet.write_string(row, 4, village).unwrap();
    }
    sheet.write_string(12, 0, "合计").unwrap();
    sheet.write_number(12, 1, 6.0).unwrap();
    sheet.write_string(13, 0, "填表人：赵主任").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn a_clerk_may_say_what_the_columns_mean() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let text = format!("甲,乙,丙\n王秀英,{},理事厅社区\n", id(0));
        let id = start(&store, &upload(&text));
        let ready = settled(&store, id);
        assert_eq!((ready.state, ready.code.as_str()), (State::Ready, "header_unknown"));
        assert_eq!(accept(&store, id), Err(ImportRefusal::NothingToTake));
        let choose = |columns: &[(u32, Field)]| {
            let columns = columns.iter().map(|(at, field)| (*at, Some(*field))).collect();
            let choice = Choice { columns, ..Choice::default() };
            store.write(move |tx| imports::choose(tx, &clerk(), id, &choice, nine())).map_err(refusal)
        };
        assert_eq!(choose(&[(0, Field::Name), (1, Field::Name)]), Err(ImportRefusal::Twice(Field::Name)));
        assert_eq!(choose(&[(7, Field::Name)]), Err(ImportRefusal::NoColumn(8)));
        choose(&[(0, Field::Name), (1, Field::IdNo), (2, Field::Village)]).unwrap();
        let ready = settled(&store, id);
        assert_eq!((ready.state, ready.counts.added, ready.code.as_str()), (State::Ready, 1, ""));
        accept(&store, id).unwrap();
        assert_eq!(settled(&store, id).counts.added, 1);
    });
}

#[test]
fn refusals_speak_and_scope_holds() {
    on_both(|store| {
        city(&store);
        let empty = imports::start(&store, &clerk(), &upload(""), nine()).map_err(refusal);
        assert_eq!(empty, Err(ImportRefusal::Empty));
        let big = Upload { file_name: "大.csv".into(), bytes: vec![b'a'; imports::FILE_MAX + 1] };
        let big = imports::start(&store, &clerk(), &big, nine()).map_err(refusal);
        assert_eq!(big, Err(ImportRefusal::TooBig { megabytes: 25 }));
        let agent = Actor { role: Role::Agent, ..clerk() };
        assert!(matches!(imports::start(&store, &agent, &upload("a"), nine()), Err(No::Forbidden(_))));

        let id = start(&store, &list(0..2, &[]));
        assert_eq!(accept(&store, id), Err(ImportRefusal::StillReading));
        let other = actor(code("410203").range());
        let seen = store.read(move |tx| imports::find(tx, &other, id));
        assert!(matches!(seen, Err(No::NotFound)), "another county's imports do not exist");
        let above = actor(code("4102").range());
        assert!(store.read(move |tx| imports::find(tx, &above, id)).is_ok());

        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let page = start(&store, &upload("<html><table><tr><td>姓名</td></tr></table></html>"));
        let failed = settled(&store, page);
        assert_eq!((failed.state, failed.code.as_str()), (State::Failed, "file_html"));
        assert!(failed.message.contains("另存为"), "{}", failed.message);
        let none = imports::file_back(&store, &clerk(), page).map_err(refusal).map(drop);
        assert_eq!(none, Err(ImportRefusal::NoProblems));
    });
}

#[test]
fn files_and_lines_lie_encrypted() {
    on_both(|store| {
        city(&store);
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let number = id(3);
        let import_id = start(&store, &list(3..5, &["张德福,410299194002290012,,,理事厅社区,".into()]));
        settled(&store, import_id);
        let kept: Vec<Vec<u8>> = store
            .read(|tx| {
                tx.all("SELECT bytes FROM import_file UNION ALL SELECT body FROM import_part UNION ALL SELECT layout FROM import", app::p![], |row| row.get(0))
            })
            .unwrap();
        assert_eq!(kept.len(), 3);
        for bytes in kept {
            for secret in [number.as_str(), "张德福", "王秀英"] {
                assert!(
                    !bytes.windows(secret.len()).any(|at| at == secret.as_bytes()),
                    "{secret} in the clear"
                );
            }
        }
    });
}

#[test]
fn an_import_that_breaks_again_and_again_is_given_up() {
    on_both(|store| {
        city(&store);
        let id = start(&store, &list(0..2, &[]));
        store
            .write(|tx| tx.execute("UPDATE import_file SET bytes = ?1", app::p![vec![1u8; 40]]).map(drop))
            .unwrap();
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let failed = until(&store, id, |import| {
            clock.forward(3);
            import.state == State::Failed
        });
        assert_eq!(failed.code, "import_broken");
    });
}

#[test]
fn the_template_is_read_back_without_a_question() {
    on_both(|store| {
        city(&store);
        let template = imports::template().unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(&template.bytes)).unwrap();
        assert!(archive.by_name("xl/workbook.xml").is_ok());
        let clock = Clock::new();
        let _worker = clock.worker(&store);
        let id = start(&store, &Upload { file_name: template.name, bytes: template.bytes });
        settled(&store, id);
        let layout = store.read(move |tx| imports::layout(tx, &clerk(), id)).unwrap().unwrap();
        assert_eq!(layout.sheet, "名单");
        assert!(layout.columns.iter().all(|column| column.field.is_some()), "{layout:?}");
    });
}

#[test]
fn what_a_file_would_do_can_be_asked_without_leaving_a_trace() {
    on_both(|store| {
        city(&store);
        let looked = imports::look(&store, &clerk(), &list(0..600, &[]), nine(), &|_, _| ()).unwrap();
        assert_eq!(looked.counts, counts(600, 0, 0, 0));
        assert_eq!(registered(&store), 0);
        let left: i64 = store
            .read(|tx| {
                tx.one(
                    "SELECT (SELECT COUNT(*) FROM import) + (SELECT COUNT(*) FROM evidence)",
                    app::p![],
                    |row| row.get(0),
                )
            })
            .unwrap();
        assert_eq!(left, 0);
    });
}
