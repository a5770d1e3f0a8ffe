//! Social-care alarms, `devices.md` §4.

use domain::signals::{feed::Protocol::Scaip, scaip};
use serde_json::json;

use crate::{all, has, one};

fn mrq(inner: &str) -> String {
    format!("<mrq>{inner}</mrq>")
}

const WHO: &str = "<ref>A1</ref><cid>26317</cid><dty>4</dty>";

#[test]
fn elements_come_in_any_order_and_with_rare_ones_between() {
    let told = one(
        Scaip,
        &mrq(
            "<cve>1</cve><stc>10</stc><dty>004</dty><ico>2</ico><cid>7</cid><pri>1</pri><ref>Z</ref><mty>ME</mty><did>0A</did><lco>002</lco>",
        ),
    );
    has(
        &told,
        &json!({"ref": "Z", "controller": "7", "device_type": 4, "status_code": 10, "device": "0A", "kind": "alarm",
                "location_code": "002", "caller": null, "caller_scheme": null, "voice_expected": false}),
    );
}

#[test]
fn numbers_are_compared_without_their_noughts_and_texts_without_blanks() {
    for stc in ["19", "019", "0019", " 19 "] {
        let told = one(Scaip, &mrq(&format!("{WHO}<mty>ME</mty><stc>{stc}</stc>")));
        has(&told, &json!({"status_code": 19, "kind": "cancel"}));
    }
    let told = one(Scaip, &mrq("<ref> r1 </ref><cid>\n 8031372 </cid><dty> 0004 </dty>"));
    has(&told, &json!({"ref": "r1", "controller": "8031372", "device_type": 4}));
    has(&told, &json!({"reply": "<mrs><ref>r1</ref><snu>0</snu></mrs>"}));
}

#[test]
fn types_of_messages() {
    for (mty, kind, defaulted) in [
        ("<mty>ME</mty>", "alarm", false),
        ("<mty>me</mty>", "alarm", false),
        ("", "alarm", true),
        ("<mty></mty>", "alarm", true),
        ("<mty>RE</mty>", "reset", false),
        ("<mty>IN</mty>", "information", false),
        ("<mty>PI</mty>", "heartbeat", false),
    ] {
        let told = one(Scaip, &mrq(&format!("{WHO}{mty}<stc>10</stc>")));
        has(&told, &json!({"kind": kind, "message_type_defaulted": defaulted}));
    }
}

#[test]
fn a_call_is_expected_only_after_an_alarm_by_somebody_who_can_be_called() {
    for (mty, crd, scheme, caller, voice) in [
        ("ME", "gsm:+8613800000000", "gsm", json!("8613800000000"), true),
        ("ME", "gsm:", "gsm", json!(null), true),
        ("ME", "sip:unit7@example.org", "sip", json!("unit7@example.org"), true),
        ("ME", "no-voice:", "no-voice", json!(null), false),
        ("PI", "gsm:+8613800000000", "gsm", json!("8613800000000"), false),
        ("IN", "gsm:+1", "gsm", json!("1"), false),
    ] {
        let told = one(Scaip, &mrq(&format!("{WHO}<mty>{mty}</mty><crd>{crd}</crd>")));
        has(&told, &json!({"caller_scheme": scheme, "caller": caller, "voice_expected": voice}));
    }
}

#[test]
fn what_must_have_content_is_named_when_it_has_none() {
    for (inner, fields) in [
        ("<ref>1</ref><dty>4</dty>", json!(["cid"])),
        ("<ref> </ref><cid>1</cid><dty/>", json!(["ref", "dty"])),
        ("", json!(["ref", "cid", "dty"])),
    ] {
        assert_eq!(
            one(Scaip, &mrq(inner)),
            json!({"protocol": "scaip", "error": "missing", "fields": fields})
        );
    }
    assert_eq!(one(Scaip, "<mrq/>")["error"], "missing");
}

#[test]
fn declarations_namespaces_attributes_comments_and_entities() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a unit -->\n\
        <s:mrq xmlns:s=\"urn:scaip\" v='1'>\n  <s:ref kind=\"a\">A&amp;&#66;</s:ref>\n  <s:cid><![CDATA[ 77 ]]></s:cid>\n\
          <s:dty>2<!-- base --></s:dty>\n</s:mrq>\n";
    let told = one(Scaip, document);
    has(&told, &json!({"ref": "A&B", "controller": "77", "device_type": 2}));
    has(&told, &json!({"reply": "<mrs><ref>A&amp;B</ref><snu>0</snu></mrs>"}));
}

#[test]
fn children_of_children_are_not_mistaken() {
    let told = one(Scaip, &mrq("<ite><cid>9</cid></ite><ref>1</ref><cid>2</cid><dty>3</dty>"));
    has(&told, &json!({"controller": "2"}));
}

#[test]
fn rubbish_is_refused_with_a_reason() {
    for (bad, error) in [
        ("<mrq><ref>1</ref>", "xml"),
        ("<mrq><ref>1</cid></mrq>", "xml"),
        ("<mrs><ref>1</ref></mrs>", "root"),
        ("not xml", "xml"),
        ("<", "xml"),
    ] {
        has(&one(Scaip, bad), &json!({"protocol": "scaip", "error": error}));
    }
    assert_eq!(scaip::decode(b"\xff\xfe").unwrap_err().error, "xml");
    assert_eq!(scaip::decode(&vec![b' '; scaip::DOCUMENT_BYTES_MAX + 1]).unwrap_err().error, "size");
}

#[test]
fn a_note_in_another_encoding_loses_no_alarm() {
    let document = b"<mrq><ref>1</ref><cid>2</cid><dty>3</dty><ico>k\xf6k</ico><stc>10</stc></mrq>";
    assert_eq!(scaip::decode(document).unwrap().kind, "alarm");
}

#[test]
fn several_documents_glued_broken_and_over_lines() {
    let good = mrq(WHO);
    let capture =
        format!("{good}{good}\njunk {good}\n<mrq>\n<ref>1</ref>\n{good}\n# said the tester\n<mrq><ref>2");
    let told: Vec<String> = all(Scaip, &capture)
        .iter()
        .map(|t| t.get("kind").or(t.get("error")).unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["alarm", "alarm", "xml", "alarm", "xml", "alarm", "xml"]);
}
