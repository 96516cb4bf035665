use super::*;
use crate::rules::lines;

/// Label and title of each section found.
fn found(text: &str) -> Vec<(String, String)> {
    let lines = lines::split(text);
    let masked = lines::mask(text, &lines);
    sections(&masked, &lines).into_iter().map(|section| (section.label, section.title)).collect()
}

#[test]
fn headings_of_many_forms_are_found() {
    for (text, label, title) in [
        ("1. Definitions\n", "1", "Definitions"),
        ("12 PAYMENT TERMS\n", "12", "PAYMENT TERMS"),
        ("5.2 Payment Terms. Customer shall pay.\n", "5.2", "Payment Terms"),
        ("5.2. Customer shall pay each invoice.\n", "5.2", ""),
        ("7) Indemnity:\n", "7", "Indemnity"),
        (
            "ARTICLE IV\n\nLIMITATION OF LIABILITY\n\nText here.\n",
            "ARTICLE IV",
            "LIMITATION OF LIABILITY",
        ),
        ("Article 4 – Term and Renewal\n", "Article 4", "Term and Renewal"),
        ("SCHEDULE B: FEES\n", "SCHEDULE B", "FEES"),
        ("Amendment No. 1 – Payment\n", "Amendment No. 1", "Payment"),
        ("Section 4.2 Governing Law\n", "Section 4.2", "Governing Law"),
        ("IV. Term\n", "IV", "Term"),
        ("## 3. Vertraulichkeit Über Alles\n", "3", "Vertraulichkeit Über Alles"),
        ("(a) the Customer agrees;\n", "(a)", ""),
        ("LIMITATION OF LIABILITY\n", "", "LIMITATION OF LIABILITY"),
        ("Governing Law\n\nText follows here.\n", "", "Governing Law"),
    ] {
        let first = found(text).into_iter().next();
        assert_eq!(first, Some((label.to_owned(), title.to_owned())), "{text}");
    }
}

#[test]
fn running_text_is_no_heading() {
    for text in [
        "",
        "Customer pays as set out in clause\n5.2. The rest follows.\n",
        "as amended on\n12 March 2026 by both.\n",
        "30 June 2026\n",
        "30 days after receipt.\n",
        "Schedule B sets out the fees.\n",
        "5. Payment ........ 4\n",
        "1,500,000 is the amount.\n",
        "Page 3 of 9\n",
        "§§§ ??? ...\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn sections_nest_and_end_where_the_next_begins() {
    let text = "1. Fees\r\n1.1 Invoices. Monthly.\r\n(a) by e-mail;\r\n(b) by post.\r\n2. Term\r\nOne \
                year.\r\nSCHEDULE B\r\n1. Rates\r\nHigh.\r\n";
    let lines = lines::split(text);
    let all = sections(text, &lines);
    let labels: Vec<&str> = all.iter().map(|section| section.label.as_str()).collect();
    assert_eq!(labels, ["1", "1.1", "1.1(a)", "1.1(b)", "2", "SCHEDULE B", "SCHEDULE B, 1"]);
    let fees = &text[all[0].range.clone()];
    assert!(fees.ends_with("by post.\r\n"), "{fees}");
    assert_eq!(all[3].parent, Some(1));
    assert_eq!(&text[all[6].range.clone()], "1. Rates\r\nHigh.\r\n");
}
