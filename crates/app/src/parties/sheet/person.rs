//! One person of a file, one thing wrong with her row, and what the caller decides.

use domain::parties::{BankCard, Hardship, IdNumber, LivingArrangement, PersonName, Phone, Sex};
use jiff::civil::Date;

use super::fields::Field;
use super::words::DeclaredAbility;

/// What the caller knows and decides.
pub struct Rules<'a> {
    /// From the words of a file to a region of ours, or a sentence why not.
    pub resolve: &'a dyn Fn(&RegionText) -> Result<i64, String>,
    /// The same for where somebody is registered, which may be anywhere. What is not found is left out with a warning.
    pub resolve_hukou: &'a dyn Fn(&RegionText) -> Result<i64, String>,
    /// Where somebody lives whose row does not say so; the office of the clerk, for example.
    pub region_default: Option<i64>,
    /// Let made-up identity numbers through. Off in a real office.
    pub allow_test: bool,
    /// What may not be empty. `Region` stands for any of the residence columns.
    pub required: &'a [Field],
    /// The day of the reading; nobody is born after it.
    pub today: Date,
}

/// A place as the file names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegionText {
    /// 县区
    pub county: Option<String>,
    /// 乡镇街道
    pub township: Option<String>,
    /// 村社区
    pub village: Option<String>,
    /// All in one, when the file has no columns for the parts.
    pub whole: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The row cannot be taken.
    Error,
    /// The row is taken; somebody should look.
    Warning,
}

/// One thing wrong in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// As numbered in the file.
    pub row: u32,
    /// Letters and title, such as `C列 身份证号`; empty when it concerns the whole row.
    pub column: String,
    /// What the column means.
    pub field: Option<Field>,
    /// A stable word for programs and statistics.
    pub code: &'static str,
    /// What is wrong and how to repair it.
    pub message: String,
    /// Error or warning.
    pub level: Level,
}

impl RowError {
    /// The line for the clerk's own file.
    pub fn sentence(&self) -> String {
        let mark = if self.level == Level::Warning { "提醒：" } else { "" };
        if self.column.is_empty() {
            format!("{mark}{}", self.message)
        } else {
            format!("【{}】{mark}{}", self.column, self.message)
        }
    }
}

/// A document that is no identity card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherDocument {
    /// As the file calls it.
    pub kind: String,
    /// Its number.
    pub number: String,
}

/// One person of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonRow {
    /// As numbered in the file.
    pub row: u32,
    /// Name.
    pub name: PersonName,
    /// The identity number.
    pub id: Option<IdNumber>,
    /// The file had 15 digits; ours are computed.
    pub id_converted: bool,
    /// Passport and the like, in place of an identity number.
    pub other_document: Option<OtherDocument>,
    /// From the number, or from the column.
    pub sex: Sex,
    /// From the number, or from the column.
    pub birth: Option<Date>,
    /// What the column said, when that was a whole day.
    pub birth_stated: Option<Date>,
    /// Own phone.
    pub phone: Option<Phone>,
    /// Where somebody lives.
    pub residence: Option<i64>,
    /// House and door.
    pub address: Option<String>,
    /// Where somebody is registered.
    pub hukou: Option<i64>,
    /// With whom somebody lives.
    pub living: Option<LivingArrangement>,
    /// All categories named.
    pub hardships: Vec<Hardship>,
    /// The grade the file states.
    pub ability: Option<DeclaredAbility>,
    /// For benefits.
    pub bank_card: Option<BankCard>,
    /// Who to call.
    pub emergency_name: Option<String>,
    /// Their phone.
    pub emergency_phone: Option<Phone>,
    /// Anything else.
    pub remark: Option<String>,
    /// Worth a second look.
    pub warnings: Vec<RowError>,
}
