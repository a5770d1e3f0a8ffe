//! A JSON document with only the keys that are asked for and the first of many items, so that a hostile resource costs
//! no memory beyond a small multiple of itself.

use std::{borrow::Cow, fmt, ops::Index};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Keys of the resources that are read.
const KEYS: [&str; 21] = [
    "resourceType",
    "id",
    "status",
    "code",
    "coding",
    "system",
    "subject",
    "reference",
    "identifier",
    "value",
    "unit",
    "valueQuantity",
    "component",
    "dataAbsentReason",
    "effectiveDateTime",
    "effectiveInstant",
    "effectivePeriod",
    "start",
    "entry",
    "resource",
    "comparator",
];

/// Most items of a list that are kept.
const ITEMS_MAX: usize = 64;

/// A value of the document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lean<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Lean<'a>>),
    Object(Vec<(&'static str, Lean<'a>)>),
}

impl<'a> Lean<'a> {
    pub(super) fn is_null(&self) -> bool {
        *self == Lean::Null
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Lean::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<&Number> {
        if let Lean::Number(number) = self { Some(number) } else { None }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Lean<'a>] {
        if let Lean::List(items) = self { items } else { &[] }
    }
}

/// A missing key is null.
impl<'a> Index<&str> for Lean<'a> {
    type Output = Lean<'a>;

    fn index(&self, key: &str) -> &Lean<'a> {
        debug_assert!(KEYS.contains(&key), "{key} is not read");
        let Lean::Object(fields) = self else { return &Lean::Null };
        fields.iter().find(|(name, _)| *name == key).map_or(&Lean::Null, |(_, value)| value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Lean<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Lean<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Lean<'de>, E> {
        Ok(Lean::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Lean<'de>, E> {
        Ok(Lean::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Lean<'de>, E> {
        Ok(Lean::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Lean<'de>, E> {
        Ok(Number::from_f64(value).map_or(Lean::Null, Lean::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Lean<'de>, E> {
        Ok(Lean::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Lean<'de>, E> {
        Ok(Lean::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Lean<'de>, E> {
        Ok(Lean::Null)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Lean<'de>, S::Error> {
        let mut kept = Vec::new();
        while kept.len() < ITEMS_MAX {
            match items.next_element()? {
                Some(item) => kept.push(item),
                None => return Ok(Lean::List(kept)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lean::List(kept))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Lean<'de>, M::Error> {
        let mut fields: Vec<(&'static str, Lean<'de>)> = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let Some(name) = KEYS.into_iter().find(|name| *name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            // Said twice, the last one counts.
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        Ok(Lean::Object(fields))
    }
}
