//! Rows of duties, tries, leaves and charges.

use std::collections::HashMap;

use domain::{
    access::Scope,
    ids::{AccountId, IncidentId, PersonId, VisitDutyId},
    parties::Sex,
    regions::RegionRange,
    signals::{
        rounds::{Answer, Duty, DutyKind, Mark, Met, Report, Way},
        silence::RiskGrade,
    },
    time::{At, Day},
};

use super::{
    CalledOut,
    lists::{DutyRow, Filter, Page, Tried},
    progress::Standing,
    rate::Rate,
    record::{VisitPhoto, Whose, marks},
    team::{Leave, Post},
};
use crate::{
    p,
    store::{Fault, Row, Tx},
};

macro_rules! standing {
    ($more:literal) => {
        concat!(
            "SELECT d.id, d.person, d.region, COALESCE(w.grade, 'general'), d.kind, d.due_at, d.first_missed_at, d.missed,
                d.occasion, d.level",
            $more,
            " FROM visit_duty d LEFT JOIN watch w ON w.person = d.person AND w.ended_at IS NULL "
        )
    };
}

macro_rules! line {
    () => {
        concat!(
            standing!(", p.name, p.birth, p.sex, p.address, COALESCE(w.why, ''), d.last_success_at, w.charge, a.name,
                d.incident"),
            "JOIN person p ON p.id = d.person LEFT JOIN account a ON a.id = w.charge "
        )
    };
}

macro_rules! fits {
    () => {
        "WHERE d.ended_at IS NULL AND d.region BETWEEN ?1 AND ?2
            AND (CAST(?3 AS BIGINT) = 0 OR w.charge = ?3) AND (CAST(?4 AS BIGINT) = 0 OR w.charge IS NULL)
            AND (?5 = '' OR d.kind = ?5) AND (CAST(?6 AS BIGINT) = 0 OR d.person = ?6)
            AND (CAST(?7 AS BIGINT) = 0 OR d.due_at < ?7 OR d.first_missed_at IS NOT NULL) "
    };
}

crate::statements! {
    STAND = "INSERT INTO visit_duty (id, person, region, kind, occasion, due_at, made_at, look_at)
        VALUES (?1, ?2, ?3, ?4, '', ?5, ?7, ?5)
        ON CONFLICT (person, kind, occasion) DO UPDATE SET
            region = excluded.region,
            due_at = CASE
                WHEN visit_duty.ended_at IS NOT NULL THEN excluded.due_at
                WHEN COALESCE(visit_duty.last_success_at, visit_duty.made_at) + ?6 < visit_duty.due_at
                    THEN COALESCE(visit_duty.last_success_at, visit_duty.made_at) + ?6
                ELSE visit_duty.due_at END,
            look_at = 0, ended_at = NULL, end_why = NULL";
    ADD = "INSERT INTO visit_duty (id, person, region, kind, occasion, due_at, made_at, look_at, incident)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8, ?6, ?7) ON CONFLICT DO NOTHING";
    END = "UPDATE visit_duty SET ended_at = ?4, end_why = ?5
        WHERE person = ?1 AND kind = ?2 AND occasion = ?3 AND ended_at IS NULL";
    END_ALL = "UPDATE visit_duty SET ended_at = ?2, end_why = ?3 WHERE person = ?1 AND ended_at IS NULL";
    END_ONE = "UPDATE visit_duty SET ended_at = ?2, end_why = ?3 WHERE id = ?1 AND ended_at IS NULL";
    BEGIN_ANEW = "UPDATE visit_duty SET last_success_at = ?2, due_at = ?3, look_at = ?3, first_missed_at = NULL,
            missed = 0, level = NULL, incident = NULL
        WHERE id = ?1 AND (last_success_at IS NULL OR last_success_at < ?2)";
    MISSED = "UPDATE visit_duty SET missed = missed + 1, first_missed_at = COALESCE(first_missed_at, ?2) WHERE id = ?1";
    VOUCHED = "UPDATE visit_duty SET missed = 0, first_missed_at = NULL, level = NULL, due_at = ?2, look_at = ?2
        WHERE id = ?1";
    SET_LOOK = "UPDATE visit_duty SET look_at = ?2 WHERE id = ?1";
    ALARMED = "UPDATE visit_duty SET level = ?2, incident = ?3 WHERE id = ?1";
    DUE = concat!(standing!(""), "WHERE d.ended_at IS NULL AND d.look_at < ?1 ORDER BY d.look_at, d.id LIMIT ?2");
    ANYTHING_DUE = "SELECT id FROM visit_duty WHERE ended_at IS NULL AND look_at < ?1 LIMIT 1";
    STANDING_ROW = concat!(standing!(", CAST(CASE WHEN d.ended_at IS NULL THEN 0 ELSE 1 END AS BIGINT)"),
        "WHERE d.id = ?1 AND d.region BETWEEN ?2 AND ?3");
    OPEN_OF = concat!(standing!(""), "WHERE d.person = ?1 AND d.ended_at IS NULL");
    WATCHED = "SELECT person, region FROM watch WHERE ended_at IS NULL AND region BETWEEN ?1 AND ?2 AND grade = ?3
        ORDER BY person";
    INSERT_TRY = "INSERT INTO visit_try (id, duty, person, region, at, recorded_at, by_account, way, met, points, answers,
            note, photo_kind, photo_sha256, photo, follow_up)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    PHOTO_KNOWN = "SELECT id FROM visit_try WHERE photo_sha256 = ?1 LIMIT 1";
    PHOTO = "SELECT photo_kind, photo FROM visit_try WHERE id = ?1 AND region BETWEEN ?2 AND ?3 AND photo IS NOT NULL";
    TRIES = "SELECT t.id, t.at, t.way, t.met, t.points, t.answers, t.note, CAST(CASE WHEN t.photo_kind IS NULL THEN 0 ELSE 1 END AS BIGINT),
            COALESCE(a.name, '')
        FROM visit_try t LEFT JOIN account a ON a.id = t.by_account
        WHERE t.person = ?1 AND t.region BETWEEN ?2 AND ?3 ORDER BY t.at DESC, t.id DESC LIMIT ?4";
    LINES = concat!(line!(), fits!(), "ORDER BY d.due_at, d.id LIMIT ?8 OFFSET ?9");
    COUNT = concat!("SELECT COUNT(*) FROM visit_duty d LEFT JOIN watch w ON w.person = d.person AND w.ended_at IS NULL ",
        fits!());
    LINE = concat!(line!(), "WHERE d.id = ?1 AND d.region BETWEEN ?2 AND ?3 AND d.ended_at IS NULL");
    RATES = "SELECT w.region / 1000 * 1000,
            CAST(SUM(CASE WHEN w.ended_at IS NULL AND p.state <> 'hospital' OR w.ended_at >= ?4 THEN 1 ELSE 0 END) AS BIGINT),
            CAST(SUM(CASE WHEN (w.ended_at IS NULL AND p.state <> 'hospital' OR w.ended_at >= ?4) AND EXISTS (
                SELECT 1 FROM visit_try t WHERE t.person = w.person AND t.at >= ?3 AND t.at < ?4 AND t.met = 'met')
                THEN 1 ELSE 0 END) AS BIGINT),
            CAST(SUM(CASE WHEN w.ended_at IS NULL AND p.state = 'hospital' OR w.ended_at < ?4 THEN 1 ELSE 0 END) AS BIGINT)
        FROM watch w JOIN person p ON p.id = w.person
        WHERE w.region BETWEEN ?1 AND ?2 AND w.since <= ?3 AND (w.ended_at IS NULL OR w.ended_at > ?3)
        GROUP BY w.region / 1000 * 1000 ORDER BY 1";
    POSTS = "SELECT p.account, p.region_lo, p.region_hi FROM post p JOIN account a ON a.id = p.account
        WHERE p.role = 'community_worker' AND p.ended_at IS NULL AND a.closed_at IS NULL";
    COLLEAGUES = "SELECT DISTINCT p.account, a.name, p.region_lo, p.region_hi
        FROM post p JOIN account a ON a.id = p.account
        WHERE p.role = 'community_worker' AND p.ended_at IS NULL AND a.closed_at IS NULL
            AND p.region_lo <= ?2 AND p.region_hi >= ?1
        ORDER BY p.region_lo, a.name, p.account LIMIT 500";
    CALLED_OUT = "SELECT d.occasion, MAX(d.due_at), COUNT(*),
            CAST(SUM(CASE WHEN d.end_why = '已完成' THEN 1 ELSE 0 END) AS BIGINT),
            CAST(SUM(CASE WHEN d.ended_at IS NULL THEN 1 ELSE 0 END) AS BIGINT)
        FROM visit_duty d
        WHERE d.kind = 'extra' AND d.region BETWEEN ?1 AND ?2 AND d.made_at >= ?3
        GROUP BY d.occasion ORDER BY MAX(d.made_at) DESC LIMIT 30";
    AWAY = "SELECT account, cover FROM duty_leave WHERE ended_at IS NULL AND from_day <= ?1 AND to_day >= ?1 ORDER BY id";
    CHARGES = "SELECT region, charge, COUNT(*) FROM watch WHERE ended_at IS NULL GROUP BY region, charge";
    SET_CHARGE = "UPDATE watch SET charge = ?1 WHERE region = ?2 AND ended_at IS NULL
        AND person % CAST(?3 AS BIGINT) = CAST(?4 AS BIGINT) AND charge IS DISTINCT FROM ?1";
    INSERT_LEAVE = "INSERT INTO duty_leave (id, account, from_day, to_day, cover, why, entered_at, entered_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    END_LEAVE = "UPDATE duty_leave SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
    LEAVES = "SELECT l.id, l.account, a.name, l.from_day, l.to_day, l.cover, c.name, l.why
        FROM duty_leave l JOIN account a ON a.id = l.account LEFT JOIN account c ON c.id = l.cover
        WHERE l.ended_at IS NULL AND l.to_day >= ?1 ORDER BY l.from_day, l.id";
}

/// Gives a standing duty, or brings the one there is up to a shorter interval.
pub(super) fn stand(
    tx: &mut Tx<'_>,
    id: VisitDutyId,
    (person, region): Whose,
    kind: DutyKind,
    (first, interval): (At, i64),
    now: At,
) -> Result<(), Fault> {
    tx.execute_one(STAND, p![id, person, region, kind.code(), first, interval, now])
}

#[expect(clippy::too_many_arguments, reason = "each is a column of the row")]
pub(super) fn add(
    tx: &mut Tx<'_>,
    id: VisitDutyId,
    (person, region): Whose,
    kind: DutyKind,
    occasion: &str,
    due: At,
    incident: Option<IncidentId>,
    now: At,
) -> Result<bool, Fault> {
    Ok(tx.execute(ADD, p![id, person, region, kind.code(), occasion, due, incident, now])? == 1)
}

pub(super) fn end(
    tx: &mut Tx<'_>,
    person: PersonId,
    kind: DutyKind,
    occasion: &str,
    why: &str,
    now: At,
) -> Result<(), Fault> {
    tx.execute(END, p![person, kind.code(), occasion, now, why]).map(drop)
}

pub(super) fn end_all(tx: &mut Tx<'_>, person: PersonId, why: &str, now: At) -> Result<(), Fault> {
    tx.execute(END_ALL, p![person, now, why]).map(drop)
}

pub(super) fn end_one(tx: &mut Tx<'_>, id: VisitDutyId, why: &str, now: At) -> Result<(), Fault> {
    tx.execute(END_ONE, p![id, now, why]).map(drop)
}

pub(super) fn begin_anew(tx: &mut Tx<'_>, id: VisitDutyId, at: At, due: At) -> Result<(), Fault> {
    tx.execute(BEGIN_ANEW, p![id, at, due]).map(drop)
}

pub(super) fn missed(tx: &mut Tx<'_>, id: VisitDutyId, at: At) -> Result<(), Fault> {
    tx.execute_one(MISSED, p![id, at])
}

pub(super) fn vouched(tx: &mut Tx<'_>, id: VisitDutyId, due: At) -> Result<(), Fault> {
    tx.execute_one(VOUCHED, p![id, due])
}

pub(super) fn set_look(tx: &mut Tx<'_>, id: VisitDutyId, at: At) -> Result<(), Fault> {
    tx.execute_one(SET_LOOK, p![id, at])
}

pub(super) fn alarmed(
    tx: &mut Tx<'_>,
    id: VisitDutyId,
    level: u8,
    incident: IncidentId,
) -> Result<(), Fault> {
    tx.execute_one(ALARMED, p![id, level.to_string(), incident])
}

fn standing_row(row: &Row<'_>) -> Result<Standing, Fault> {
    let level: Option<String> = row.get(9)?;
    Ok(Standing {
        id: row.get(0)?,
        person: row.get(1)?,
        region: row.get(2)?,
        grade: row.word(3, RiskGrade::from_code)?,
        duty: Duty {
            kind: row.word(4, DutyKind::from_code)?,
            due: row.get(5)?,
            first_missed: row.get(6)?,
            missed: row.get(7)?,
        },
        occasion: row.get(8)?,
        level: level.and_then(|level| level.parse().ok()),
    })
}

pub(super) fn due(tx: &mut Tx<'_>, now: At, limit: i64) -> Result<Vec<Standing>, Fault> {
    tx.all(DUE, p![now, limit], standing_row)
}

pub(super) fn anything_due(tx: &mut Tx<'_>, now: At) -> Result<bool, Fault> {
    Ok(tx.find(ANYTHING_DUE, p![now], |_| Ok(()))?.is_some())
}

/// A duty and whether it is over.
pub(super) fn standing(
    tx: &mut Tx<'_>,
    id: VisitDutyId,
    scope: Scope,
) -> Result<Option<(Standing, bool)>, Fault> {
    tx.find(STANDING_ROW, p![id, scope.lo, scope.hi], |row| Ok((standing_row(row)?, row.get(10)?)))
}

pub(super) fn one_standing(tx: &mut Tx<'_>, id: VisitDutyId) -> Result<Option<Standing>, Fault> {
    tx.find(STANDING_ROW, p![id, 0_i64, i64::MAX], standing_row)
}

pub(super) fn open_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Standing>, Fault> {
    tx.all(OPEN_OF, p![person], standing_row)
}

pub(super) fn watched(tx: &mut Tx<'_>, scope: Scope, grade: RiskGrade) -> Result<Vec<Whose>, Fault> {
    tx.all(WATCHED, p![scope.lo, scope.hi, grade.code()], |row| Ok((row.get(0)?, row.get(1)?)))
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the row")]
pub(super) fn insert_try(
    tx: &mut Tx<'_>,
    id: i64,
    of: &Standing,
    report: &Report,
    by: AccountId,
    photo: Option<&VisitPhoto>,
    followed: &serde_json::Value,
    now: At,
) -> Result<(), Fault> {
    let answers: Vec<&str> = report.answers.iter().map(|a| a.code()).collect();
    let (kind, sha256) = (photo.map(|p| p.kind), photo.map(|p| p.sha256));
    let bytes = photo.map(|p| p.bytes.as_slice());
    tx.execute_one(
        INSERT_TRY,
        p![
            id,
            of.id,
            of.person,
            of.region,
            report.at,
            now,
            by,
            report.way.code(),
            report.met.code(),
            marks(report),
            answers.join(","),
            report.note.trim(),
            kind,
            sha256,
            bytes,
            followed.to_string()
        ],
    )
}

pub(super) fn photo_known(tx: &mut Tx<'_>, sha256: &[u8; 32]) -> Result<bool, Fault> {
    let known: Option<i64> = tx.find(PHOTO_KNOWN, p![*sha256], |row| row.get(0))?;
    Ok(known.is_some())
}

pub(super) fn photo(tx: &mut Tx<'_>, visit: i64, scope: Scope) -> Result<Option<(String, Vec<u8>)>, Fault> {
    tx.find(PHOTO, p![visit, scope.lo, scope.hi], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn tries(
    tx: &mut Tx<'_>,
    person: PersonId,
    scope: Scope,
    limit: i64,
) -> Result<Vec<Tried>, Fault> {
    tx.all(TRIES, p![person, scope.lo, scope.hi, limit], |row| {
        let (letters, answers): (String, String) = (row.get(4)?, row.get(5)?);
        let mut points = [Mark::Unseen; 8];
        for (point, letter) in points.iter_mut().zip(letters.chars()) {
            *point = match letter {
                'f' => Mark::Fine,
                'w' => Mark::Worry,
                'u' => Mark::Urgent,
                _ => Mark::Unseen,
            };
        }
        Ok(Tried {
            id: row.get(0)?,
            at: row.get(1)?,
            way: row.word(2, Way::from_code)?,
            met: row.word(3, Met::from_code)?,
            points,
            answers: answers.split(',').filter_map(Answer::from_code).collect(),
            note: row.get(6)?,
            photo: row.get(7)?,
            by_name: row.get(8)?,
        })
    })
}

fn line_row(row: &Row<'_>) -> Result<DutyRow, Fault> {
    let charge: Option<AccountId> = row.get(16)?;
    let name: Option<String> = row.get(17)?;
    Ok(DutyRow {
        standing: standing_row(row)?,
        name: row.get(10)?,
        birth: row.get(11)?,
        sex: sex(row.get(12)?)?,
        address: row.get(13)?,
        why: row.get(14)?,
        last_success: row.get(15)?,
        charge: charge.map(|account| (account, name.unwrap_or_default())),
        incident: row.get(18)?,
    })
}

fn sex(code: i64) -> Result<Sex, Fault> {
    u8::try_from(code).ok().and_then(Sex::from_code).ok_or_else(|| Fault::other("a sex that is none"))
}

struct Wish {
    charge: i64,
    unassigned: i64,
    kind: &'static str,
    person: i64,
    due: i64,
}

impl Wish {
    fn of(filter: &Filter) -> Wish {
        Wish {
            charge: filter.charge.map_or(0, |a| a.0),
            unassigned: i64::from(filter.unassigned),
            kind: filter.kind.map_or("", DutyKind::code),
            person: filter.person.map_or(0, |p| p.0),
            due: filter.due_before.map_or(0, |at| at.0),
        }
    }
}

pub(super) fn lines(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    page: Page,
) -> Result<Vec<DutyRow>, Fault> {
    let w = Wish::of(filter);
    let params =
        p![scope.lo, scope.hi, w.charge, w.unassigned, w.kind, w.person, w.due, page.limit, page.offset];
    tx.all(LINES, params, line_row)
}

pub(super) fn count(tx: &mut Tx<'_>, scope: Scope, filter: &Filter) -> Result<i64, Fault> {
    let w = Wish::of(filter);
    let params = p![scope.lo, scope.hi, w.charge, w.unassigned, w.kind, w.person, w.due];
    tx.one(COUNT, params, |row| row.get(0))
}

pub(super) fn line(tx: &mut Tx<'_>, id: VisitDutyId, scope: Scope) -> Result<Option<DutyRow>, Fault> {
    tx.find(LINE, p![id, scope.lo, scope.hi], line_row)
}

pub(super) fn rates(tx: &mut Tx<'_>, scope: Scope, from: At, to: At) -> Result<Vec<Rate>, Fault> {
    tx.all(RATES, p![scope.lo, scope.hi, from, to], |row| {
        Ok(Rate { region: row.get(0)?, listed: row.get(1)?, visited: row.get(2)?, apart: row.get(3)? })
    })
}

pub(super) fn posts(tx: &mut Tx<'_>) -> Result<Vec<Post>, Fault> {
    tx.all(POSTS, p![], |row| {
        Ok(Post { account: row.get(0)?, range: RegionRange { lo: row.get(1)?, hi: row.get(2)? } })
    })
}

/// Who may be in charge of elders in a region: account, name, and their post's regions.
pub(super) fn colleagues(
    tx: &mut Tx<'_>,
    range: RegionRange,
) -> Result<Vec<(AccountId, String, RegionRange)>, Fault> {
    tx.all(COLLEAGUES, p![range.lo, range.hi], |row| {
        Ok((row.get(0)?, row.get(1)?, RegionRange { lo: row.get(2)?, hi: row.get(3)? }))
    })
}

/// Extra rounds since then, the latest first.
pub(super) fn called_out(tx: &mut Tx<'_>, scope: Scope, since: At) -> Result<Vec<CalledOut>, Fault> {
    tx.all(CALLED_OUT, p![scope.lo, scope.hi, since], |row| {
        Ok(CalledOut {
            occasion: row.get(0)?,
            due: row.get(1)?,
            total: row.get(2)?,
            done: row.get(3)?,
            open: row.get(4)?,
        })
    })
}

pub(super) fn away(tx: &mut Tx<'_>, today: Day) -> Result<HashMap<AccountId, Option<AccountId>>, Fault> {
    let rows: Vec<(AccountId, Option<AccountId>)> =
        tx.all(AWAY, p![today.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.into_iter().collect())
}

pub(super) fn charges(tx: &mut Tx<'_>) -> Result<Vec<(i64, Option<AccountId>, i64)>, Fault> {
    tx.all(CHARGES, p![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

pub(super) fn set_charge(
    tx: &mut Tx<'_>,
    region: i64,
    account: Option<AccountId>,
    share: (i64, i64),
) -> Result<u64, Fault> {
    tx.execute(SET_CHARGE, p![account, region, share.0, share.1])
}

pub(super) fn insert_leave(
    tx: &mut Tx<'_>,
    id: i64,
    (account, cover): (AccountId, Option<AccountId>),
    (from, to): (Day, Day),
    why: &str,
    by: AccountId,
    now: At,
) -> Result<(), Fault> {
    tx.execute_one(INSERT_LEAVE, p![id, account, from.to_string(), to.to_string(), cover, why, now, by])
}

pub(super) fn end_leave(tx: &mut Tx<'_>, id: i64, now: At) -> Result<(), Fault> {
    tx.execute(END_LEAVE, p![id, now]).map(drop)
}

pub(super) fn leaves(tx: &mut Tx<'_>, today: Day) -> Result<Vec<Leave>, Fault> {
    tx.all(LEAVES, p![today.to_string()], |row| {
        let cover: Option<AccountId> = row.get(5)?;
        let name: Option<String> = row.get(6)?;
        Ok(Leave {
            id: row.get(0)?,
            account: row.get(1)?,
            name: row.get(2)?,
            from: row.get(3)?,
            to: row.get(4)?,
            cover: cover.map(|account| (account, name.unwrap_or_default())),
            why: row.get(7)?,
        })
    })
}
