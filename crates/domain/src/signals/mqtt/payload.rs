//! The fields of a payload that mean something here. Everything else is read over without being kept, so that a hostile
//! payload costs no memory beyond itself.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Every field that is read.
const FIELDS: [&str; 24] = [
    "ts",
    "seq",
    "event",
    "action",
    "state",
    "smoke",
    "gas",
    "water_leak",
    "occupancy",
    "contact",
    "fall",
    "sos",
    "tamper",
    "battery_low",
    "battery",
    "linkquality",
    "temperature",
    "humidity",
    "heart_rate",
    "breath_rate",
    "water_total_l",
    "frame",
    // Only in captures.
    "retain",
    "retained",
];

/// A value that is not made of others.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    /// Absent, null, or made of others.
    #[default]
    Nothing,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
}

/// The fields read, in the order of the list.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    fields: [Scalar<'a>; FIELDS.len()],
}

/// A message as a capture holds it.
#[derive(Debug, Default)]
pub(super) struct Captured<'a> {
    pub(super) topic: Scalar<'a>,
    pub(super) payload: Inner<'a>,
    /// The fields beside them: those of a payload that stands alone.
    pub(super) alone: Payload<'a>,
}

/// The payload inside a captured message.
#[derive(Debug, Default)]
pub(super) enum Inner<'a> {
    #[default]
    Nothing,
    Text(Cow<'a, str>),
    Fields(Box<Payload<'a>>),
}

const NOTHING: Scalar<'static> = Scalar::Nothing;

impl<'a> Payload<'a> {
    /// One of the list by its name.
    pub(super) fn get(&self, name: &str) -> &Scalar<'a> {
        FIELDS.iter().position(|field| *field == name).map_or(&NOTHING, |at| &self.fields[at])
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Scalar::Text(text) = self.get(name) { Some(text) } else { None }
    }

    pub(super) fn number(&self, name: &str) -> Option<&Number> {
        if let Scalar::Number(number) = self.get(name) { Some(number) } else { None }
    }

    /// Whether a flag is set, as true or as 1.
    pub(super) fn flag(&self, name: &str) -> bool {
        *self.get(name) == Scalar::Bool(true) || self.number(name).and_then(Number::as_i64) == Some(1)
    }

    /// Takes the value of a key if it is of the list. Said twice, the last one counts.
    fn take<'de: 'a, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        match FIELDS.iter().position(|field| *field == key) {
            Some(at) => self.fields[at] = map.next_value()?,
            None => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Text that stays where it is unless it holds escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(input)? {
            Scalar::Text(text) => Ok(Key(text)),
            _ => Err(serde::de::Error::custom("a key is text")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Payload<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Payload<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Payload<'de>, M::Error> {
                let mut payload = Payload::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    payload.take(&key.0, &mut map)?;
                }
                Ok(payload)
            }
        }
        input.deserialize_map(Fields)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Captured<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Message;
        impl<'de> Visitor<'de> for Message {
            type Value = Captured<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Captured<'de>, M::Error> {
                let mut captured = Captured::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    match &*key.0 {
                        "topic" => captured.topic = map.next_value()?,
                        "payload" | "data" | "message" => captured.payload = map.next_value()?,
                        other => captured.alone.take(other, &mut map)?,
                    }
                }
                Ok(captured)
            }
        }
        input.deserialize_map(Message)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Inner<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Inner<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Inner<'de>, E> {
                Ok(Inner::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Inner<'de>, E> {
                Ok(Inner::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Inner<'de>, E> {
                Ok(Inner::Nothing)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Inner<'de>, M::Error> {
                let mut payload = Box::<Payload<'de>>::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    payload.take(&key.0, &mut map)?;
                }
                Ok(Inner::Fields(payload))
            }
        }
        input.deserialize_any(Either)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
                Ok(Number::from_f64(value).map_or(Scalar::Nothing, Scalar::Number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Nothing)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Scalar<'de>, S::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Scalar<'de>, M::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }
        }
        input.deserialize_any(One)
    }
}
