//! Files that go back to the clerk: her own with what is wrong in it, and an empty one to begin with.

use domain::{access::Actor, ids::ImportId};
use rust_xlsxwriter::{Format, FormatBorder, Workbook, XlsxError};

use super::{Choice, FILE_MAX, ImportRefusal, Line, Upload, commands, sql};
use crate::{
    outcome::{No, Outcome},
    parties::sheet::{self, Field, Level, Limits, RowError, Watch},
    store::{Fault, Store},
};

/// A file with its name.
#[derive(Debug, Clone)]
pub struct FileBack {
    /// The clerk's own name with a word added.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The clerk's own file with a column that says what is wrong in each row.
///
/// Takes as long as reading the file, so it runs on the caller's thread and not in a transaction.
pub fn file_back(store: &Store, actor: &Actor, id: ImportId) -> Outcome<FileBack, ImportRefusal> {
    let actor = actor.clone();
    let (import, bytes, choice, problems) = store.read(move |tx| {
        let import = commands::find(tx, &actor, id)?;
        let problems = commands::problems(tx, &actor, id)?;
        Ok::<_, No<ImportRefusal>>((import, commands::file(tx, id)?, sql::choice(tx, id)?, problems))
    })?;
    if problems.is_empty() {
        return Err(No::Refused(ImportRefusal::NoProblems));
    }
    annotated(&Upload { file_name: import.file_name, bytes }, &choice, problems)
}

/// A file with a column that says what is wrong in each row.
pub fn annotated(upload: &Upload, choice: &Choice, lines: Vec<Line>) -> Outcome<FileBack, ImportRefusal> {
    let errors: Vec<RowError> = lines
        .into_iter()
        .flat_map(|line| line.faults.into_iter().map(move |fault| (line.row, fault)))
        .map(|(row, fault)| RowError {
            row,
            column: fault.column,
            field: fault.field,
            code: "",
            message: fault.message,
            level: if fault.warning { Level::Warning } else { Level::Error },
        })
        .collect();
    let limits = Limits { file_bytes: FILE_MAX, ..Limits::default() };
    let refused = |refusal| No::Refused(ImportRefusal::Sheet(refusal));
    let (sheet, mut nobody) = (choice.sheet.as_deref(), Watch::nobody());
    let book =
        sheet::read_sheet(&upload.file_name, &upload.bytes, sheet, &limits, &mut nobody).map_err(refused)?;
    let bytes = sheet::write_back(&upload.bytes, &book, &errors).map_err(refused)?;
    Ok(FileBack { name: book.name_back(), bytes })
}

/// Columns of the empty file, an example for each, and what may stand there.
const TEMPLATE: [(Field, &str, &str); 14] = [
    (Field::Name, "王福生", "必填"),
    (Field::IdNo, "410299194002290011", "必填，18 位；请保持“文本”格式，否则表格软件会把后三位变成 0"),
    (Field::Phone, "13800000000", "手机，或带区号的座机"),
    (Field::County, "龙亭区", "居住地；与下面两项一起写明住在哪个村（社区）"),
    (Field::Township, "北书店街道", ""),
    (Field::Village, "理事厅社区", "必填，写全称或 12 位区划代码"),
    (Field::Address, "理事厅街12号", "门牌号"),
    (Field::Living, "独居", "独居、与配偶同住、与子女同住、养老机构等"),
    (Field::Hardship, "低保、重残", "特困、低保、低保边缘、计划生育特殊家庭、重残、优抚等，几项之间用顿号"),
    (Field::Ability, "轻度", "能力完好、轻度、中度、重度、完全失能"),
    (Field::BankCard, "", "本人的银行卡；请保持“文本”格式"),
    (Field::EmergencyName, "李建国", "紧急联系人"),
    (Field::EmergencyPhone, "13900000000", ""),
    (Field::Remark, "", ""),
];

/// An empty list to fill: headings, one example, and a second sheet that explains them.
///
/// # Errors
/// When the workbook cannot be made.
pub fn template() -> Result<FileBack, Fault> {
    let bytes = workbook().map_err(|error| Fault::other(format!("template: {error}")))?;
    Ok(FileBack { name: "老年人名单模板.xlsx".to_owned(), bytes })
}

fn workbook() -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let head = Format::new().set_bold().set_border(FormatBorder::Thin).set_text_wrap();
    // Text cells keep all 18 digits, the X and leading zeros.
    let text = Format::new().set_num_format("@");
    let sheet = workbook.add_worksheet().set_name("名单")?;
    for (column, (field, example, _)) in (0u16..).zip(TEMPLATE) {
        let width = if field == Field::IdNo || field == Field::BankCard { 24.0 } else { 14.0 };
        sheet.set_column_width(column, width)?.set_column_format(column, &text)?;
        sheet.write_string_with_format(0, column, field.label(), &head)?;
        sheet.write_string_with_format(1, column, example, &text)?;
    }
    sheet.set_freeze_panes(1, 1)?;
    let notes = workbook.add_worksheet().set_name("填写说明")?;
    notes.set_column_width(0, 16.0)?.set_column_width(1, 70.0)?;
    notes.write_string(0, 0, "第 2 行是示例，请删去后填写；一人一行。")?;
    for (row, (field, _, note)) in (2u32..).zip(TEMPLATE) {
        notes.write_string_with_format(row, 0, field.label(), &head)?;
        notes.write_string(row, 1, note)?;
    }
    workbook.save_to_buffer()
}
