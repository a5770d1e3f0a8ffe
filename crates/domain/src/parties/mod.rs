//! People: what can be said about one person from what somebody typed, without asking anyone.
//!
//! Everything here is a value that was parsed once and is right from then on: an identity number
//! whose check digit holds, a phone that can be dialled, a bank card that passes its own check.
//! Private values print masked, so that a log line can never leak one.

pub mod account;
pub mod age;
mod bank_card;
mod certificate;
mod credit_code;
mod facts;
mod hardship;
mod id_number;
mod import;
mod living;
pub mod mask;
pub mod name;
mod phone;
mod sex;
pub mod text;

pub use bank_card::{BankCard, BankCardRefusal};
pub use certificate::Certificate;
pub use credit_code::{CreditCode, CreditCodeRefusal};
pub use facts::{Ability, AwayKind, FactKind, FactValue, PersonState, REMARK_MAX, Span};
pub use hardship::Hardship;
pub use id_number::{IdKind, IdNumber, IdRefusal, Origin};
pub use import::ImportState;
pub use living::LivingArrangement;
pub use name::{NameRefusal, PersonName};
pub use phone::{Phone, PhoneKind, PhoneRefusal};
pub use sex::Sex;
