//! How imports look: words, figures and rows for the templates.

use app::parties::{
    imports::{Fate, Import, Layout, Line, State},
    sheet::Field,
};
use domain::time::Now;

/// An import as its pages show it.
pub(super) struct Card {
    pub(super) id: String,
    pub(super) file_name: String,
    pub(super) size: String,
    pub(super) who: String,
    pub(super) when: String,
    pub(super) state: &'static str,
    pub(super) state_label: &'static str,
    pub(super) state_kind: &'static str,
    pub(super) running: bool,
    pub(super) message: String,
    pub(super) accepted: String,
    pub(super) added: String,
    pub(super) changed: String,
    pub(super) unchanged: String,
    pub(super) rejected: String,
    pub(super) warned: String,
    pub(super) skipped: String,
    pub(super) has_problems: bool,
    pub(super) takes_any: bool,
    pub(super) was_accepted: bool,
    pub(super) total: i64,
    pub(super) done: i64,
    pub(super) progress: String,
    pub(super) left: String,
    pub(super) sum: String,
}

impl Card {
    pub(super) fn of(import: Import, now: Now) -> Card {
        let counts = import.counts;
        let kind = match import.state {
            State::Done => "done",
            State::Ready | State::Failed => "attention",
            State::Reading | State::Storing => "info",
            State::Cancelled => "quiet",
        };
        let progress = match (import.state, import.rows_total) {
            (_, 0) => "正在打开文件".to_owned(),
            (State::Reading, total) => {
                format!("已比对 {} / {} 行", grouped(import.rows_done), grouped(total))
            }
            (_, total) => format!("已保存 {} / {} 行", grouped(import.rows_done), grouped(total)),
        };
        Card {
            id: import.id.to_string(),
            size: size(import.file_bytes),
            who: match import.created_by_name.as_str() {
                "" => "命令行".to_owned(),
                name => format!("{name}（{}）", import.created_role.label()),
            },
            when: import.created_at.as_seen(now),
            state: import.state.code(),
            state_label: import.state.label(),
            state_kind: kind,
            running: import.state.running(),
            accepted: grouped(counts.accepted()),
            added: grouped(counts.added),
            changed: grouped(counts.changed),
            unchanged: grouped(counts.unchanged),
            rejected: grouped(counts.rejected),
            warned: grouped(counts.warned),
            skipped: grouped(counts.skipped),
            has_problems: counts.rejected + counts.warned > 0,
            takes_any: counts.accepted() > 0,
            was_accepted: import.accepted_at.is_some(),
            total: import.rows_total.max(1),
            done: import.rows_done,
            progress,
            left: import.seconds_left(now).map(left).unwrap_or_default(),
            sum: sum(&import),
            file_name: import.file_name,
            message: import.message,
        }
    }

    /// The reading step is over when the file is ready or beyond.
    pub(super) fn step(&self) -> u8 {
        match (self.state, self.was_accepted) {
            ("reading", _) | ("failed" | "cancelled", false) => 1,
            ("ready", _) => 2,
            _ => 3,
        }
    }
}

/// One line about what came of it.
fn sum(import: &Import) -> String {
    let counts = import.counts;
    let rejected = if counts.rejected > 0 {
        format!("，{} 行有问题未接受", grouped(counts.rejected))
    } else {
        String::new()
    };
    match (import.state, import.accepted_at) {
        (State::Reading, _) => String::new(),
        (State::Failed | State::Cancelled, None) => "没有保存任何内容".to_owned(),
        (State::Ready, _) => format!("可接受 {} 行{rejected}", grouped(counts.accepted())),
        _ => format!(
            "新登记 {} 人，更新 {} 人，相同 {} 人{rejected}",
            grouped(counts.added),
            grouped(counts.changed),
            grouped(counts.unchanged)
        ),
    }
}

/// A row as the table shows it.
pub(super) struct Shown {
    pub(super) row: u32,
    pub(super) name: String,
    pub(super) id_no: String,
    pub(super) fate: &'static str,
    pub(super) rejected: bool,
    pub(super) faults: Vec<String>,
}

impl From<Line> for Shown {
    fn from(line: Line) -> Shown {
        let faults = line.faults.iter().map(|fault| match fault.column.as_str() {
            "" => fault.message.clone(),
            column => format!("{column}：{}", fault.message),
        });
        Shown {
            row: line.row,
            name: line.name,
            id_no: line.id_no,
            fate: line.fate.label(),
            rejected: line.fate == Fate::Rejected,
            faults: faults.collect(),
        }
    }
}

/// A column of the file with what it may mean.
pub(super) struct ColumnChoice {
    pub(super) index: u32,
    pub(super) letters: String,
    pub(super) title: String,
    pub(super) examples: String,
    pub(super) options: Vec<Choosable>,
}

/// One entry of a select.
pub(super) struct Choosable {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// Columns of a file for the editor.
pub(super) fn columns(layout: &Layout) -> Vec<ColumnChoice> {
    let option = |field: Option<Field>, chosen: Option<Field>| Choosable {
        value: field.map_or("", Field::code).to_owned(),
        label: field.map_or("不导入", Field::label).to_owned(),
        chosen: field == chosen,
    };
    let each = layout.columns.iter().map(|column| ColumnChoice {
        index: column.index,
        letters: column.letters.clone(),
        title: column.title.clone(),
        examples: column.examples.join("、"),
        options: std::iter::once(None)
            .chain(Field::ALL.iter().copied().map(Some))
            .map(|field| option(field, column.field))
            .collect(),
    });
    each.collect()
}

/// Sheets of a file, for choosing another one; empty when there is only one.
pub(super) fn sheets(layout: &Layout) -> Vec<Choosable> {
    let several = layout.sheets.iter().filter(|_| layout.sheets.len() > 1);
    let each = several.map(|sheet| Choosable {
        value: sheet.clone(),
        label: sheet.clone(),
        chosen: *sheet == layout.sheet,
    });
    each.collect()
}

/// Pages of a list.
pub(super) struct Pages {
    pub(super) now: i64,
    pub(super) of: i64,
    pub(super) prev: Option<String>,
    pub(super) next: Option<String>,
}

impl Pages {
    /// `page` counts from 0.
    pub(super) fn of(id: &str, page: i64, pages: i64) -> Pages {
        let at = |page: i64| format!("/imports/{id}?page={}#rows", page + 1);
        Pages {
            now: page + 1,
            of: pages.max(1),
            prev: (page > 0).then(|| at(page - 1)),
            next: (page + 1 < pages).then(|| at(page + 1)),
        }
    }
}

/// `1,234,567`
fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn size(bytes: i64) -> String {
    match bytes {
        ..=1_023 => format!("{bytes} 字节"),
        1_024..1_048_576 => format!("{} KB", bytes / 1_024),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

fn left(seconds: i64) -> String {
    match seconds {
        ..=59 => format!("还要约 {seconds} 秒"),
        60..3_600 => format!("还要约 {} 分 {} 秒", seconds / 60, seconds % 60),
        _ => format!("还要约 {} 小时 {} 分", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_durations_and_sizes_are_written_as_people_read_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([5, 65, 3_660].map(left), ["还要约 5 秒", "还要约 1 分 5 秒", "还要约 1 小时 1 分"]);
        assert_eq!([12, 2_048, 3_145_728].map(size), ["12 字节", "2 KB", "3.0 MB"]);
    }
}
