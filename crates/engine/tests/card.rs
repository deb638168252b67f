//! The driver of NVIDIA's cards: where there is none, errors of one line; where there is one, our kernels on it.
#![cfg(feature = "cuda")]

use bytemuck::{bytes_of, cast_slice};
use headstart_engine::cuda::arguments::{Map, Normalise};
use headstart_engine::cuda::{Card, CardError, Driver, Launch, Queue};

/// The first card, or `None` where there is no card, which must be told in one line.
fn card() -> Option<Driver> {
    match Driver::open(0) {
        Ok(card) => Some(card),
        Err(CardError::Absent(why)) => {
            assert!(!why.is_empty() && !why.contains('\n'), "{why}");
            assert_eq!(Driver::look_at(0).map_err(|error| error.to_string()), Err(why.clone()));
            eprintln!("skipped: {why}");
            None
        }
        Err(other) => panic!("{other}"),
    }
}

/// Says where the first difference is, instead of all numbers.
fn same(got: &[u8], expected: &[f32]) {
    let expected: &[u8] = cast_slice(expected);
    assert_eq!(got.len(), expected.len());
    let first = got.iter().zip(expected).position(|(got, expected)| got != expected);
    assert_eq!(first.map(|byte| byte / size_of::<f32>()), None, "this number is another");
}

#[test]
fn a_card_that_is_not_there_is_an_error() {
    for found in [Driver::look_at(63).map(drop), Driver::open(63).map(drop)] {
        match found {
            Err(CardError::Absent(why)) => assert!(!why.contains('\n'), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn normalises() -> Result<(), CardError> {
    let Some(card) = card() else { return Ok(()) };
    let places: usize = 3 * 2048 + 5;
    let pixels: Vec<u8> = (0..3 * places).map(|i| (i * 37 % 256) as u8).collect();
    let table: Vec<f32> = (0..768).map(|i| i as f32 * 0.25 - 64.0).collect();
    let expected: Vec<f32> = pixels
        .chunks_exact(3)
        .flat_map(|p| {
            let at = |channel: usize| table[256 * channel + usize::from(p[channel])];
            [at(0), at(1), at(2), 0.0]
        })
        .collect();

    let mut staging = card.staging(pixels.len())?;
    assert!(staging.iter().all(|&byte| byte == 0));
    staging.copy_from_slice(&pixels);
    let (input, constants) = (card.allocate(pixels.len())?, card.allocate(4096)?);
    let out = card.allocate(size_of_val(&expected[..]))?;
    card.upload(cast_slice(&table), &constants, 512)?;
    card.copy_in(&staging, pixels.len(), &input)?;
    card.wait(Queue::Kernels, &card.event(Queue::Copies)?)?;
    let arguments = Normalise {
        pixels: card.address(&input),
        table: card.address(&constants) + 512,
        out: card.address(&out),
        places: places as i32,
        stride: 4,
        ..Normalise::default()
    };
    let start = card.event(Queue::Kernels)?;
    card.launch(&Launch {
        kernel: "normalise_f32",
        blocks: [places.div_ceil(2048) as u32, 1, 1],
        threads: 256,
        shared: 9216,
        arguments: bytes_of(&arguments),
    })?;
    let end = card.event(Queue::Kernels)?;
    let mut got = card.staging(size_of_val(&expected[..]))?;
    let length = got.len();
    card.copy_out(&out, &mut got, length)?;
    card.finish(&card.event(Queue::Kernels)?)?;
    same(&got, &expected);
    assert!(card.between(&start, &end)? > 0.0);
    Ok(())
}

/// Runs directly and as a recording, here and on another thread: out = 2 in + 1, added to itself by `other`.
#[test]
fn records_and_moves_between_threads() -> Result<(), CardError> {
    let Some(card) = card() else { return Ok(()) };
    let (rows, stride) = (1000_usize, 24_usize);
    let numbers: Vec<f32> = (0..rows * stride).map(|i| (i % 1009) as f32).collect();
    let (bytes, floats) = (size_of_val(&numbers[..]), size_of::<f32>());
    let (input, once, out) = (card.allocate(bytes)?, card.allocate(bytes)?, card.allocate(bytes)?);
    let constants = card.allocate(2 * stride * floats)?;
    card.upload(cast_slice(&numbers), &input, 0)?;
    card.upload(cast_slice(&vec![2.0_f32; stride]), &constants, 0)?;
    card.upload(cast_slice(&vec![1.0_f32; stride]), &constants, stride * floats)?;
    let first = Map {
        input: card.address(&input),
        out: card.address(&once),
        scale: card.address(&constants),
        shift: card.address(&constants) + (stride * floats) as u64,
        rows: rows as i32,
        places: rows as i32,
        stride: stride as i32,
        ..Map::default()
    };
    let second =
        Map { input: first.out, out: card.address(&out), other: first.out, scale: 0, shift: 0, ..first };
    let run = |card: &Driver| {
        [first, second].iter().try_for_each(|arguments| {
            card.launch(&Launch {
                kernel: "map_f32",
                blocks: [(rows * stride / 8).div_ceil(256) as u32, 1, 1],
                threads: 256,
                shared: 0,
                arguments: bytes_of(arguments),
            })
        })
    };
    let recording = card.record(&mut || run(&card))?.expect("this card records");
    let expected: Vec<f32> = numbers.iter().map(|x| 4.0 * x + 2.0).collect();
    let mut got = card.staging(bytes)?;
    let check = |card: &Driver, got: &mut <Driver as Card>::Staging| -> Result<(), CardError> {
        got.fill(0);
        card.copy_out(&out, got, bytes)?;
        card.finish(&card.event(Queue::Kernels)?)?;
        same(got, &expected);
        card.upload(&vec![0xff; bytes], &out, 0)
    };
    card.replay(&recording)?;
    check(&card, &mut got)?;
    run(&card)?;
    check(&card, &mut got)?;
    std::thread::scope(|scope| {
        let moved = scope.spawn(|| {
            let (card, recording, mut got) = (card, recording, got);
            card.replay(&recording)?;
            check(&card, &mut got)
        });
        moved.join().expect("the thread ends")
    })
}

#[test]
fn refuses_what_cannot_be() -> Result<(), CardError> {
    let Some(card) = card() else { return Ok(()) };
    assert!(card.free()? <= card.description().memory);
    assert!(card.description().capability >= (8, 0));
    let asked = card.description().memory * 2;
    assert!(matches!(card.allocate(asked), Err(CardError::OutOfMemory { asked: mib }) if mib == asked >> 20));
    let launch = Launch { kernel: "no_such", blocks: [1; 3], threads: 32, shared: 0, arguments: &[] };
    let why = card.launch(&launch).map_err(|error| error.to_string());
    assert!(why.is_err_and(|why| why.contains("no_such") && why.contains("CUDA_ERROR_NOT_FOUND")));
    // More than a multiprocessor has.
    let nothing = Map::default();
    let launch = Launch { kernel: "map_f32", shared: 1 << 20, arguments: bytes_of(&nothing), ..launch };
    assert!(matches!(card.launch(&launch), Err(CardError::Driver { .. })));
    Ok(())
}
