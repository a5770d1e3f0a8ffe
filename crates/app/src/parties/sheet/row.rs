//! One row becomes one person, or a list of what is wrong with it.
//!
//! All faults of a row are found in one pass, so that the clerk repairs once. What the identity
//! number says wins over the columns beside it; a sex that contradicts it is an error, because one
//! of the two was copied from another person, a birth that differs is a warning, because old
//! files are full of such and benefits go by the number.

use domain::parties::{
    BankCard, Hardship, IdNumber, LivingArrangement, NameRefusal, Origin, PersonName, Phone, PhoneRefusal,
    Sex, text,
};
use jiff::civil::Date;

use super::book::{Cell, Row, Value};
use super::dates::{self, Stated};
use super::fields::Field;
use super::mapping::{Column, Mapping};
use super::person::{Level, OtherDocument, PersonRow, RegionText, RowError, Rules};
use super::words::{self, DeclaredAbility};

/// From this age on somebody is elderly. Source: Law on the Protection of the Rights and Interests of the Elderly, §2.
const OLD_AGE: i64 = 60;

/// Reads one row. Duplicates inside the file are found by [`super::parse_table`].
pub fn parse_row(row: &Row, mapping: &Mapping, rules: &Rules<'_>) -> Result<PersonRow, Vec<RowError>> {
    let mut reading = Reading { row, mapping, rules, faults: Vec::new() };
    reading.broken_cells();
    let name = reading.name();
    let (id, other_document) = reading.document();
    let id_converted = id.is_some() && IdNumber::first_generation(&reading.text(Field::IdNo));
    let (birth, birth_stated) = reading.birth(id.as_ref());
    reading.age(birth);
    let sex = reading.sex(id.as_ref());
    let (living, living_hardships) = reading.living();
    let mut hardships = reading.hardships();
    hardships.extend(living_hardships.into_iter().filter(|one| !hardships.contains(one)).collect::<Vec<_>>());
    let person = PersonRow {
        row: row.number,
        name: name.unwrap_or_else(placeholder),
        id,
        id_converted,
        other_document,
        sex,
        birth,
        birth_stated,
        phone: reading.phone(Field::Phone),
        residence: reading.residence(),
        address: reading.words(Field::Address),
        hukou: reading.hukou(),
        living,
        hardships,
        ability: reading.ability(),
        bank_card: reading.bank_card(),
        emergency_name: reading.words(Field::EmergencyName),
        emergency_phone: reading.phone(Field::EmergencyPhone),
        remark: reading.words(Field::Remark),
        warnings: Vec::new(),
    };
    reading.required();
    let (errors, warnings): (Vec<_>, Vec<_>) =
        reading.faults.into_iter().partition(|f| f.level == Level::Error);
    if errors.is_empty() { Ok(PersonRow { warnings, ..person }) } else { Err(errors) }
}

/// The identity number of a row, whatever else is wrong with it.
pub(super) fn identity(row: &Row, mapping: &Mapping, rules: &Rules<'_>) -> Option<IdNumber> {
    Reading { row, mapping, rules, faults: Vec::new() }.document().0
}

/// Stands in for a name that was refused, until the row is refused with it.
fn placeholder() -> PersonName {
    PersonName::parse("无名").expect("two Chinese characters are a name")
}

struct Reading<'a> {
    row: &'a Row,
    mapping: &'a Mapping,
    rules: &'a Rules<'a>,
    faults: Vec<RowError>,
}

impl<'a> Reading<'a> {
    /// The filled cells of a field, with their columns.
    fn cells(&self, field: Field) -> Vec<(&'a Column, &'a Cell)> {
        let filled = |cell: &Cell| {
            let own = !cell.blank() || (field.carries() && cell.value != Value::Empty);
            own && cell.value != Value::Error
        };
        let columns = self.mapping.columns_of(field);
        columns
            .filter_map(|c| self.row.cell(c.index).filter(|cell| filled(cell)).map(|cell| (c, cell)))
            .collect()
    }

    fn cell(&self, field: Field) -> Option<(&'a Column, &'a Cell)> {
        self.cells(field).first().copied()
    }

    fn text(&self, field: Field) -> String {
        self.cell(field).map(|(_, cell)| text::narrow(&cell.text())).unwrap_or_default()
    }

    fn fault(&mut self, level: Level, field: Field, code: &'static str, message: impl Into<String>) {
        let column =
            self.cell(field).map(|(column, _)| column).or_else(|| self.mapping.columns_of(field).next());
        self.faults.push(RowError {
            row: self.row.number,
            column: column.map(Column::name).unwrap_or_default(),
            field: Some(field),
            code,
            message: message.into(),
            level,
        });
    }

    fn error(&mut self, field: Field, code: &'static str, message: impl Into<String>) {
        self.fault(Level::Error, field, code, message);
    }

    fn warn(&mut self, field: Field, code: &'static str, message: impl Into<String>) {
        self.fault(Level::Warning, field, code, message);
    }

    /// `#N/A` and its like, where a formula of the file went wrong.
    fn broken_cells(&mut self) {
        for column in self.mapping.columns.iter().filter(|c| c.field.is_some()) {
            if self.row.cell(column.index).is_some_and(|c| !c.carried && c.value == Value::Error) {
                self.faults.push(RowError {
                    row: self.row.number,
                    column: column.name(),
                    field: column.field,
                    code: "cell_error",
                    message: "单元格里的公式出错，没有得到内容，请直接填写内容".to_owned(),
                    level: Level::Error,
                });
            }
        }
    }

    fn name(&mut self) -> Option<PersonName> {
        match PersonName::parse(&self.text(Field::Name)) {
            Ok(name) => Some(name),
            Err(refusal) => {
                let help = if refusal == NameRefusal::Empty { "，请补填" } else { "" };
                self.error(Field::Name, refusal.code(), format!("{refusal}{help}"));
                None
            }
        }
    }

    fn document(&mut self) -> (Option<IdNumber>, Option<OtherDocument>) {
        let kind = text::compact(&self.text(Field::IdType));
        let Some((_, cell)) = self.cell(Field::IdNo) else {
            return (None, None);
        };
        let written = cell.text();
        let card = kind.is_empty() || kind.contains("身份证") || kind.contains("居住证");
        if !card {
            return (None, Some(OtherDocument { kind, number: text::compact(&written) }));
        }
        if words::nothing(&written) {
            return (None, None);
        }
        let origin = if cell.numeric() { Origin::NumericCell } else { Origin::Text };
        match IdNumber::from_cell(&written, origin, self.rules.allow_test) {
            Ok(id) => {
                if id.birth() > self.rules.today {
                    self.error(Field::IdNo, "id_birth_future", "身份证号里的出生日期还没有到，请照证件核对");
                }
                if !id.province_known() {
                    self.warn(
                        Field::IdNo,
                        "id_area_unknown",
                        "身份证号开头两位不是任何省份的代码，请照证件核对",
                    );
                }
                (Some(id), None)
            }
            Err(refusal) => {
                self.error(Field::IdNo, refusal.code(), refusal.to_string());
                (None, None)
            }
        }
    }

    fn birth(&mut self, id: Option<&IdNumber>) -> (Option<Date>, Option<Date>) {
        let Some((_, cell)) = self.cell(Field::Birth) else {
            return (id.map(IdNumber::birth), None);
        };
        let Some(stated) = dates::stated(cell, self.mapping.epoch_1904) else {
            return (id.map(IdNumber::birth), None);
        };
        let written = cell.text().into_owned();
        let day = if let Stated::Day(day) = stated { Some(day) } else { None };
        match id {
            Some(id) => {
                self.birth_against_number(stated, &written, id.birth());
                (Some(id.birth()), day)
            }
            None => {
                self.birth_alone(stated, &written);
                (day, day)
            }
        }
    }

    /// A register of the elderly takes somebody younger, but not without a word.
    fn age(&mut self, birth: Option<Date>) {
        let old = |birth: Date| birth.saturating_add(jiff::Span::new().years(OLD_AGE)) <= self.rules.today;
        if birth.is_some_and(|birth| birth <= self.rules.today && !old(birth)) {
            let field = if self.cell(Field::Birth).is_some() { Field::Birth } else { Field::IdNo };
            self.warn(field, "under_60", "未满60周岁，请核对出生日期；确需登记可保留");
        }
    }

    fn birth_against_number(&mut self, stated: Stated, written: &str, born: Date) {
        let agrees = match stated {
            Stated::Day(day) => day == born,
            Stated::Month(year, month) => (year, month) == (born.year(), born.month()),
            Stated::Year(year) => year == born.year(),
            Stated::ShortYear(short) => short == born.year() % 100,
            // The lunar day differs by nature.
            Stated::Lunar => true,
            Stated::Unclear => {
                let message = format!("出生日期“{written}”看不明白，已按身份证号取{born}");
                return self.warn(Field::Birth, "birth_unclear", message);
            }
        };
        if !agrees {
            let message =
                format!("出生日期填的是“{written}”，与身份证号里的{born}不一致，已按身份证号登记，请核对");
            self.warn(Field::Birth, "birth_differs", message);
        }
    }

    fn birth_alone(&mut self, stated: Stated, written: &str) {
        let (code, message) = match stated {
            Stated::Day(day) if day > self.rules.today => {
                ("birth_future", format!("出生日期“{day}”还没有到，请核对年份"))
            }
            Stated::Day(_) => return,
            Stated::Month(..) | Stated::Year(_) => {
                ("birth_incomplete", format!("出生日期“{written}”不完整，请写全年月日，例如 1954-03-02"))
            }
            Stated::ShortYear(_) => (
                "birth_two_digit_year",
                format!("出生日期“{written}”的年份只有两位，请写成四位，例如 1954-03-02"),
            ),
            Stated::Lunar => ("birth_lunar", format!("“{written}”是农历，请改填公历日期，例如 1954-03-02")),
            Stated::Unclear => {
                ("birth_unclear", format!("出生日期“{written}”看不明白，请写成年月日，例如 1954-03-02"))
            }
        };
        self.error(Field::Birth, code, message);
    }

    fn sex(&mut self, id: Option<&IdNumber>) -> Sex {
        let written = self.text(Field::Sex);
        let stated = Sex::from_text(&written);
        if stated.is_none() && !words::nothing(&written) {
            let message = format!("性别“{written}”看不明白，请填“男”或“女”");
            self.fault(
                if id.is_some() { Level::Warning } else { Level::Error },
                Field::Sex,
                "sex_unclear",
                message,
            );
        }
        let Some(id) = id else {
            return stated.unwrap_or(Sex::Unknown);
        };
        if let Some(stated @ (Sex::Male | Sex::Female)) = stated.filter(|s| *s != id.sex()) {
            let message = format!(
                "性别填的是“{}”，身份证号显示为“{}”，请核对是哪一个填错了",
                stated.label(),
                id.sex().label()
            );
            self.error(Field::Sex, "sex_differs", message);
        }
        id.sex()
    }

    fn phone(&mut self, field: Field) -> Option<Phone> {
        let written = self.text(field);
        if words::nothing(&written) {
            return None;
        }
        match Phone::parse(&written) {
            Ok(phone) => Some(phone),
            Err(PhoneRefusal::Empty) => None,
            Err(refusal) => {
                self.error(field, refusal.code(), refusal.to_string());
                None
            }
        }
    }

    fn residence(&mut self) -> Option<i64> {
        match self.region(Field::RESIDENCE, self.rules.resolve) {
            None => self.rules.region_default,
            Some(Ok(region)) => Some(region),
            Some(Err((at, message))) => {
                self.error(at, "region_unknown", message);
                None
            }
        }
    }

    /// Registered may be anywhere in the country, so a place we do not know is no reason to refuse the person.
    fn hukou(&mut self) -> Option<i64> {
        match self.region(Field::HUKOU, self.rules.resolve_hukou)? {
            Ok(region) => Some(region),
            Err((at, message)) => {
                self.warn(at, "hukou_unknown", format!("户籍地没有登记：{message}"));
                None
            }
        }
    }

    /// `fields` are village, township, county and the whole, in this order.
    fn region(
        &self,
        fields: [Field; 4],
        resolve: &dyn Fn(&RegionText) -> Result<i64, String>,
    ) -> Option<Result<i64, (Field, String)>> {
        let part = |field| Some(text::compact(&self.text(field))).filter(|t| !words::nothing(t));
        let [village, township, county, whole] = fields.map(part);
        let named = RegionText { county, township, village, whole };
        if named == RegionText::default() {
            return None;
        }
        // The narrowest column that is filled is the one to look at.
        let at = fields.into_iter().find(|field| self.cell(*field).is_some()).unwrap_or(fields[3]);
        Some(resolve(&named).map_err(|message| (at, message)))
    }

    fn living(&mut self) -> (Option<LivingArrangement>, Vec<Hardship>) {
        let (mut arrangement, mut hardships) = (None, Vec::new());
        for (column, cell) in self.cells(Field::Living) {
            match words::living(&column.title, &cell.text()) {
                Some(living) => {
                    arrangement = arrangement.or(living.arrangement);
                    hardships.extend(living.hardship);
                }
                None => {
                    let message = format!(
                        "居住状况“{}”没有认出，已略过；可以填：独居、与配偶同住、与子女同住等",
                        cell.text()
                    );
                    self.warn(Field::Living, "living_unknown", message);
                }
            }
        }
        (arrangement, hardships)
    }

    fn hardships(&mut self) -> Vec<Hardship> {
        let mut all = Vec::new();
        for (column, cell) in self.cells(Field::Hardship) {
            let (found, unknown) = words::hardships(&column.title, &cell.text());
            all.extend(found.into_iter().filter(|one| !all.contains(one)).collect::<Vec<_>>());
            if !unknown.is_empty() {
                // Where money hangs on it the caller requires the column, and then a word we
                // cannot read must not be lost quietly.
                let level = if self.rules.required.contains(&Field::Hardship) {
                    Level::Error
                } else {
                    Level::Warning
                };
                let message = format!(
                    "困难类型“{}”没有认出；可以填：特困、低保、低保边缘、计划生育特殊家庭、重残、优抚等，几项之间用顿号隔开",
                    unknown.join("、")
                );
                self.fault(level, Field::Hardship, "hardship_unknown", message);
            }
        }
        all
    }

    fn ability(&mut self) -> Option<DeclaredAbility> {
        let written = self.text(Field::Ability);
        words::ability(&written).unwrap_or_else(|()| {
            let message = format!(
                "能力等级“{written}”对不上现行标准，已略过；请填：能力完好、轻度、中度、重度或完全失能"
            );
            self.warn(Field::Ability, "ability_unknown", message);
            None
        })
    }

    fn bank_card(&mut self) -> Option<BankCard> {
        let (_, cell) = self.cell(Field::BankCard)?;
        if words::nothing(&cell.text()) {
            return None;
        }
        let origin = if cell.numeric() { Origin::NumericCell } else { Origin::Text };
        BankCard::from_cell(&cell.text(), origin)
            .map_err(|refusal| self.error(Field::BankCard, refusal.code(), refusal.to_string()))
            .ok()
    }

    fn words(&self, field: Field) -> Option<String> {
        let all = self.cells(field).into_iter().map(|(_, cell)| text::narrow(&cell.text()));
        let joined = all.filter(|t| !words::nothing(t)).collect::<Vec<_>>().join("；");
        Some(joined).filter(|t| !t.is_empty())
    }

    /// The name is always needed and was seen to; the others as the caller decides.
    fn required(&mut self) {
        for &field in self.rules.required {
            let missing = match field {
                Field::Name => false,
                Field::Region => {
                    let named = Field::RESIDENCE.iter().any(|f| !words::nothing(&self.text(*f)));
                    !named && self.rules.region_default.is_none()
                }
                // The number says both.
                Field::Birth | Field::Sex if !words::nothing(&self.text(Field::IdNo)) => {
                    let other =
                        !self.text(Field::IdType).is_empty() && !self.text(Field::IdType).contains("身份证");
                    other && words::nothing(&self.text(field))
                }
                _ => words::nothing(&self.text(field)) && !self.text(field).starts_with('0'),
            };
            if missing {
                let at = if field == Field::Region { self.region_column() } else { field };
                let code = missing_code(field);
                self.error(at, code, format!("没有填写{}，请补填", field.label()));
            }
        }
    }

    fn region_column(&self) -> Field {
        Field::RESIDENCE.into_iter().find(|f| self.mapping.has(*f)).unwrap_or(Field::Region)
    }
}

fn missing_code(field: Field) -> &'static str {
    match field {
        Field::IdNo => "id_missing",
        Field::Birth => "birth_missing",
        Field::Sex => "sex_missing",
        Field::Phone => "phone_missing",
        Field::Region => "region_missing",
        Field::BankCard => "card_missing",
        _ => "field_missing",
    }
}
