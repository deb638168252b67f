//! On a real card, where there is one. One test at a time: `--test-threads 1`.

use super::{check_bits, check_golden, check_rows, common, texts::check_texts};
use headstart_engine::{
    Precision,
    cuda::{CardError, Driver, Unit},
};
use network::zoo;

/// The first card; `None`, saying 'skipped', where there is none.
fn open() -> Option<Driver> {
    match Driver::open(0) {
        Ok(card) => Some(card),
        Err(CardError::Absent(why)) => {
            println!("skipped: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_row_of_the_reference_on_a_card() {
    let Some(card) = open() else { return };
    println!("on {:?}", headstart_engine::cuda::Card::description(&card));
    for precision in Precision::ALL {
        println!("{precision}: by {:?}s", Unit::best(&card, precision).unwrap());
    }
    for precision in Precision::ALL {
        check_rows(|| Driver::open(0).unwrap(), precision);
    }
}

#[test]
fn trained_networks_on_a_card() {
    if open().is_some() {
        check_golden(|| Driver::open(0).unwrap(), &Precision::ALL);
    }
}

#[test]
fn features_do_not_depend_on_the_batch_on_a_card() {
    if open().is_none() {
        return;
    }
    for name in ["resnet50", "vit_small_patch16_224", "efficientnet_b0"] {
        let network = zoo::find(name).unwrap().network().for_taps(&["pooled"]).unwrap();
        for precision in Precision::ALL {
            let bound = || common::filled(network.clone());
            check_bits(|| Driver::open(0).unwrap(), bound, 224, precision, 300, &[256, 32, 7]);
        }
    }
}

#[test]
fn texts_on_a_card() {
    if open().is_some() {
        check_texts(|| Driver::open(0).unwrap());
    }
}
