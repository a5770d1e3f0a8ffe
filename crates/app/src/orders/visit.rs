//! The visit: check-in, photographs, check-out, with the six facts that prove it.

use domain::{
    access::{Act, Actor},
    ids::{OrderId, PhotoId},
    orders::{self, CheckIn, CheckOut, Confirmation, ConfirmedBy, OrderRefusal, OrderState, Visit},
    time::{At, Now},
};
use image::{DynamicImage, ImageDecoder as _, ImageReader, metadata::Orientation};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{calls::PHONE, dispatch::acting, item_of, load, save, sql};
use crate::{
    evidence::Event,
    outcome::{Decided, Found, No, Outcome},
    store::Tx,
};

/// A photograph is refused beyond this; phones send about 200 KiB.
pub const PHOTO_BYTES_MAX: usize = 6 * 1024 * 1024;
/// More pixels than any phone's sensor: a picture that unpacks to this is a trap.
const PHOTO_PIXELS_MAX: u64 = 120_000_000;

/// The visit begins.
pub fn check_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    ask: &CheckIn,
    now: Now,
) -> Outcome<Visit, OrderRefusal> {
    let mut order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    if order.carer != Some(carer) {
        return Err(No::Refused(OrderRefusal::NotYours));
    }
    let person = sql::person(tx, order.person)?.found()?;
    let visit = orders::check_in(order.state, order.start_at, person.home, ask, now).decided()?;
    let before = order.state;
    order.state = OrderState::InService;
    order.checked_in_at = Some(visit.began_at);
    sql::insert_visit(tx, &order, ask, &visit, now.0)?;
    let detail = json!({
        "service": order.service, "person": order.person, "carer": carer, "at": visit.began_at,
        "server_at": now.0, "device_at": ask.device_at, "method": ask.method.code(),
        "distance_metres": visit.distance_metres, "accuracy_metres": ask.fix.map(|f| f.accuracy),
        "offline": visit.offline,
    });
    save(tx, actor, now, &order, before, "order.checked_in", detail)?;
    Ok(visit)
}

/// The visit ends. The elder's word, when given on the spot, accepts the service at once.
pub fn check_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    ask: &CheckOut,
    on_the_spot: Option<&Confirmation>,
    now: Now,
) -> Outcome<OrderState, OrderRefusal> {
    let mut order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    if order.carer != Some(carer) {
        return Err(No::Refused(OrderRefusal::NotYours));
    }
    let item = item_of(tx, &order)?;
    let began = order.checked_in_at.unwrap_or(now.0);
    let (ended_at, minutes) = orders::check_out(order.state, began, item.minutes_min, ask, now).decided()?;
    let before = order.state;
    order.checked_out_at = Some(ended_at);
    order.state = OrderState::Served;
    if let Some(word) = on_the_spot {
        order.state = orders::confirm(OrderState::Served, word).decided()?;
        order.confirmed_at = Some(now.0);
        order.confirmed_by = Some(ConfirmedBy::Elder);
    }
    sql::end_visit(tx, &order, ask, ended_at, minutes, now.0)?;
    let detail = json!({
        "carer": carer, "at": ended_at, "server_at": now.0, "device_at": ask.device_at, "minutes": minutes,
        "tasks": ask.tasks, "note": ask.note.trim(), "short": minutes < item.minutes_min,
        "on_the_spot": on_the_spot.map(|w| w.satisfied),
    });
    // A dispute on the spot passes through "served", as one told later does.
    if order.state == OrderState::Disputed {
        let served = super::Order {
            state: OrderState::Served,
            confirmed_at: None,
            confirmed_by: None,
            ..order.clone()
        };
        save(tx, actor, now, &served, before, "order.checked_out", detail)?;
        save(tx, actor, now, &order, OrderState::Served, "order.disputed", json!({ "by": "elder" }))?;
    } else {
        save(tx, actor, now, &order, before, "order.checked_out", detail)?;
    }
    Ok(order.state)
}

/// A number the carer may ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telephone {
    /// Whose it is.
    pub whose: String,
    /// The number.
    pub number: String,
}

/// The elder's own number and those of the contacts, for the carer at the door or in the home; that they were shown
/// is on record.
pub fn telephones(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    now: Now,
) -> Outcome<Vec<Telephone>, OrderRefusal> {
    let order = load(tx, actor, Act::VisitHomes, id)?;
    if order.state != OrderState::InService {
        return Err(No::Refused(OrderRefusal::WrongState { state: order.state, wish: "查看电话" }));
    }
    let mut numbers = Vec::new();
    if let Some(sealed) = sql::telephone(tx, order.person)? {
        let number = tx.vault().decrypt(PHONE, order.person.0, &sealed)?;
        numbers.push(Telephone { whose: "老人".to_owned(), number });
    }
    for (contact, whose, sealed) in sql::contact_numbers(tx, order.person)? {
        numbers.push(Telephone { whose, number: tx.vault().decrypt(PHONE, contact, &sealed)? });
    }
    if numbers.is_empty() {
        return Err(No::Refused(OrderRefusal::Missing {
            what: "老人的电话（档案里没有，请向派单员索取）"
        }));
    }
    let detail = json!({ "field": PHONE, "reason": "上门服务", "order": id, "numbers": numbers.len() });
    tx.record(actor, now, Event::new("person.revealed", order.person.0, order.region, detail))?;
    Ok(numbers)
}

/// A photograph as it came from the phone, looked at and measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPhoto {
    bytes: Vec<u8>,
    kind: &'static str,
    width: u32,
    height: u32,
    sha256: [u8; 32],
    taken_at: At,
}

impl NewPhoto {
    /// Refuses what is no JPEG, PNG or WebP, what is too large, and what would unpack to a trap.
    pub fn parse(bytes: Vec<u8>, taken_at: At) -> Result<NewPhoto, OrderRefusal> {
        let bad = OrderRefusal::Missing { what: "有效的照片（JPEG、PNG 或 WebP，不超过 6 MB）" };
        if bytes.is_empty() || bytes.len() > PHOTO_BYTES_MAX {
            return Err(bad);
        }
        let reader =
            ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format().map_err(|_| bad.clone())?;
        let kind = match reader.format() {
            Some(image::ImageFormat::Jpeg) => "image/jpeg",
            Some(image::ImageFormat::Png) => "image/png",
            Some(image::ImageFormat::WebP) => "image/webp",
            _ => return Err(bad),
        };
        let (width, height) = reader.into_dimensions().map_err(|_| bad.clone())?;
        if u64::from(width) * u64::from(height) > PHOTO_PIXELS_MAX {
            return Err(bad);
        }
        // The header may lie; only a picture that decodes is one.
        image::load_from_memory(&bytes).map_err(|_| bad)?;
        let sha256 = Sha256::digest(&bytes).into();
        Ok(NewPhoto { bytes, kind, width, height, sha256, taken_at })
    }
}

/// A kept photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Media type.
    pub kind: String,
    /// The file as it came.
    pub bytes: Vec<u8>,
}

/// Keeps a photograph of a visit. The same picture sent again is the same picture; the same picture on another order
/// is noted, for it cannot prove two visits.
pub fn add_photo(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: OrderId,
    new: &NewPhoto,
    now: Now,
) -> Outcome<PhotoId, OrderRefusal> {
    let order = load(tx, actor, Act::VisitHomes, id)?;
    let carer = acting(actor, &order)?;
    if !matches!(order.state, OrderState::InService | OrderState::Served | OrderState::Confirmed) {
        return Err(No::Refused(OrderRefusal::WrongState { state: order.state, wish: "上传照片" }));
    }
    if let Some(known) = sql::photo_of_order(tx, id, &new.sha256)? {
        return Ok(known);
    }
    let elsewhere = sql::photo_elsewhere(tx, id, &new.sha256)?;
    let photo = PhotoId(tx.id(now));
    let facts = sql::PhotoFacts {
        kind: new.kind,
        width: i64::from(new.width),
        height: i64::from(new.height),
        taken_at: new.taken_at,
        bytes: &new.bytes,
    };
    sql::insert_photo(tx, photo, id, &new.sha256, &facts, actor.account, now.0)?;
    let hex: String = new.sha256.iter().map(|b| format!("{b:02x}")).collect();
    let detail = json!({
        "photo": photo, "sha256": hex, "width": new.width, "height": new.height, "carer": carer,
        "taken_at": new.taken_at, "reused_from": elsewhere,
    });
    tx.record(actor, now, Event::new("order.photographed", id.0, order.region, detail))?;
    Ok(photo)
}

/// A photograph of an order the actor may see.
pub fn photo(tx: &mut Tx<'_>, actor: &Actor, order: OrderId, photo: PhotoId) -> Outcome<Photo, OrderRefusal> {
    super::order(tx, actor, order)?;
    sql::photo(tx, order, photo)?.map(|(kind, bytes)| Photo { kind, bytes }).found()
}

/// Longest side of a small picture: enough to see what it shows in a row of them.
const THUMBNAIL_PIXELS: u32 = 320;

/// The picture made small, as JPEG, and the right way up; the picture itself when it cannot be read any more.
///
/// Decoding takes a moment: call it outside the store.
pub fn thumbnail(photo: Photo) -> Photo {
    let Some(whole) = upright(&photo.bytes) else { return photo };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let small = whole.thumbnail(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS).into_rgb8();
    match small.write_to(&mut bytes, image::ImageFormat::Jpeg) {
        Ok(()) => Photo { kind: "image/jpeg".to_owned(), bytes: bytes.into_inner() },
        Err(_) => photo,
    }
}

/// The picture as it was seen: a phone held upright writes the sensor's rows and a note how to turn them.
fn upright(bytes: &[u8]) -> Option<DynamicImage> {
    let reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut decoder = reader.into_decoder().ok()?;
    let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut whole = DynamicImage::from_decoder(decoder).ok()?;
    whole.apply_orientation(turn);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use image::ImageEncoder as _;

    use super::*;

    /// What a phone held upright writes: a picture lying on its side, and in the EXIF part "turn me by 90°".
    fn from_a_phone() -> Vec<u8> {
        let mut side = image::RgbImage::new(640, 480);
        for (x, _, pixel) in side.enumerate_pixels_mut() {
            *pixel = image::Rgb([if x < 320 { 250 } else { 5 }, 120, 90]);
        }
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 85)
            .write_image(&side, 640, 480, image::ExtendedColorType::Rgb8)
            .unwrap();
        // One entry, orientation (0x0112), a short: 6.
        let tiff: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let length = u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes();
        let exif = [&[0xff, 0xe1], &length[..], b"Exif\0\0", tiff].concat();
        [&jpeg[..2], &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn a_picture_taken_upright_is_shown_upright_and_kept_as_it_came() {
        let bytes = from_a_phone();
        let taken = NewPhoto::parse(bytes.clone(), At::parse("2026-11-21T09:00").unwrap()).unwrap();
        assert_eq!((taken.kind, taken.width, taken.height), ("image/jpeg", 640, 480));
        assert_eq!(taken.bytes, bytes, "what proves a visit is not touched");
        let small = thumbnail(Photo { kind: taken.kind.to_owned(), bytes });
        let small = image::load_from_memory(&small.bytes).unwrap().into_rgb8();
        assert_eq!(small.dimensions(), (240, 320));
        let (above, below) = (small.get_pixel(120, 20)[0], small.get_pixel(120, 300)[0]);
        assert!(above > 200 && below < 60, "turned the wrong way: {above} over {below}");
    }
}
