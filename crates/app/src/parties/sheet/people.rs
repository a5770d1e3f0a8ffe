//! The whole table: who is in it, which lines are no people, and who stands in it twice.

use std::cell::RefCell;
use std::collections::HashMap;

use domain::parties::{IdNumber, text};

use super::book::{Row, Table};
use super::fields::Field;
use super::limits::Watch;
use super::mapping::Mapping;
use super::person::{Level, PersonRow, RegionText, RowError, Rules};
use super::refusal::SheetRefusal;
use super::row::{identity, parse_row};

/// Everything a table said.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Rows that can be taken.
    pub people: Vec<PersonRow>,
    /// What is wrong with the others, in the order of the file.
    pub errors: Vec<RowError>,
    /// Lines that are no people.
    pub skipped: Vec<Skipped>,
}

/// A line that is no person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// As numbered in the file.
    pub row: u32,
    /// Why.
    pub reason: SkipReason,
}

/// Why a line is no person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The header again, at the top of a printed page.
    RepeatedHeader,
    /// 合计, 小计
    Total,
    /// 填表人, 审核, 注：
    Note,
    /// A numbered line that nobody filled.
    Unfilled,
}

impl SkipReason {
    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            SkipReason::RepeatedHeader => "重复的表头",
            SkipReason::Total => "合计行",
            SkipReason::Note => "表尾说明",
            SkipReason::Unfilled => "没有填写的空行",
        }
    }
}

impl Parsed {
    /// Errors and warnings together, as [`super::write_back`] takes them.
    pub fn faults(&self) -> Vec<RowError> {
        let warnings = self.people.iter().flat_map(|p| p.warnings.iter().cloned());
        self.errors.iter().cloned().chain(warnings).collect()
    }
}

/// Reads all people of a table. Fails only when somebody stops it.
pub fn parse_table(
    table: &Table,
    mapping: &Mapping,
    rules: &Rules<'_>,
    watch: &mut Watch<'_>,
) -> Result<Parsed, SheetRefusal> {
    // A village's name stands in hundreds of rows; it is looked up once.
    let (resolve, resolve_hukou) = (once(rules.resolve), once(rules.resolve_hukou));
    let rules = Rules { resolve: &resolve, resolve_hukou: &resolve_hukou, ..*rules };
    let mut parsed = Parsed::default();
    let mut first_rows = HashMap::new();
    for (done, row) in table.rows.iter().enumerate() {
        if done % 500 == 0 {
            watch.tell(done, table.rows.len());
            if watch.stopped() {
                return Err(SheetRefusal::Stopped);
            }
        }
        if row.number < mapping.first_row() {
            continue;
        }
        if let Some(reason) = skip(row, mapping) {
            parsed.skipped.push(Skipped { row: row.number, reason });
            continue;
        }
        // A row with faults of its own counts too: repaired, it would be the same person again.
        let twice =
            identity(row, mapping, &rules).and_then(|id| twice(row.number, id, &mut first_rows, mapping));
        match (parse_row(row, mapping, &rules), twice) {
            (Ok(person), None) => parsed.people.push(person),
            (Ok(_), Some(twice)) => parsed.errors.push(twice),
            (Err(errors), twice) => parsed.errors.extend(errors.into_iter().chain(twice)),
        }
    }
    watch.tell(table.rows.len(), table.rows.len());
    Ok(parsed)
}

fn once(resolve: &dyn Fn(&RegionText) -> Result<i64, String>) -> impl Fn(&RegionText) -> Result<i64, String> {
    let known = RefCell::new(HashMap::<RegionText, Result<i64, String>>::new());
    move |named| {
        if let Some(found) = known.borrow().get(named) {
            return found.clone();
        }
        let found = resolve(named);
        known.borrow_mut().insert(named.clone(), found.clone());
        found
    }
}

fn twice(
    row: u32,
    id: IdNumber,
    first_rows: &mut HashMap<IdNumber, u32>,
    mapping: &Mapping,
) -> Option<RowError> {
    let first = *first_rows.entry(id).or_insert(row);
    if first == row {
        return None;
    }
    Some(RowError {
        row,
        column: mapping.columns_of(Field::IdNo).next().map(|c| c.name()).unwrap_or_default(),
        field: Some(Field::IdNo),
        code: "id_twice",
        message: format!("与第{first}行的身份证号相同，请删去重复的一行，或改正填错的号码"),
        level: Level::Error,
    })
}

fn skip(row: &Row, mapping: &Mapping) -> Option<SkipReason> {
    if repeats_header(row, mapping) {
        return Some(SkipReason::RepeatedHeader);
    }
    let meant = |field: Option<Field>| {
        mapping
            .columns
            .iter()
            .filter(move |c| c.field == field)
            .filter_map(|c| row.cell(c.index).filter(|c| !c.blank()))
    };
    let numbered = meant(Some(Field::IdNo)).next().is_some_and(|cell| {
        let text = text::compact(&cell.text());
        text.chars().filter(char::is_ascii_digit).count() >= 8
    });
    if numbered {
        return None;
    }
    let first = row.cells.iter().find(|c| !c.blank()).map(|c| text::compact(&c.text())).unwrap_or_default();
    let name = meant(Some(Field::Name)).next().map(|c| text::compact(&c.text())).unwrap_or_default();
    for start in [first, name] {
        if ["合计", "总计", "小计", "共计", "累计", "本页"].iter().any(|w| start.starts_with(w)) {
            return Some(SkipReason::Total);
        }
        // These are words of forms, and none of them begins a name.
        if ["填表", "制表", "审核", "复核", "备注:", "注:", "说明:", "填报", "经办", "单位负责", "联系人:"]
            .iter()
            .any(|w| start.starts_with(w))
        {
            return Some(SkipReason::Note);
        }
    }
    // 序号 filled down to the end of the page, and nothing behind it. Columns nobody gave a meaning
    // do not make a person.
    let known = mapping.columns.iter().any(|c| c.field.is_some());
    let filled = Field::ALL.iter().any(|f| !f.carries() && meant(Some(*f)).next().is_some());
    (known && !filled).then_some(SkipReason::Unfilled)
}

fn repeats_header(row: &Row, mapping: &Mapping) -> bool {
    let own = mapping.columns.iter().filter(|c| c.field.is_some());
    let filled = own.filter_map(|c| row.cell(c.index).filter(|cell| !cell.blank()).map(|cell| (c, cell)));
    let (mut same, mut all) = (0, 0);
    for (column, cell) in filled {
        all += 1;
        same += usize::from(mapping.same_title(column, &cell.text()));
    }
    same >= 2 && same * 2 > all
}
