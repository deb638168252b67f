//! What a processor could do at most, which kernels are held against.

use std::time::Instant;

/// Floating-point operations a second that so many threads of this processor reach with nothing but fused multiply-adds
/// on registers of its widest vectors.
pub(crate) fn peak(threads: usize) -> f64 {
    const COUNT: usize = 5_000_000;
    let trial = || {
        let start = Instant::now();
        let lanes: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| multiply_adds(COUNT))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        (lanes * 2 * COUNT) as f64 / start.elapsed().as_secs_f64()
    };
    // The best, since whatever else the machine does only lowers it.
    (0..7).map(|_| trial()).fold(0.0, f64::max)
}

/// `count` multiply-adds in each lane; gives how many lanes.
#[cfg(not(target_arch = "x86_64"))]
fn multiply_adds(count: usize) -> usize {
    chains::<96>(count)
}

#[cfg(target_arch = "x86_64")]
fn multiply_adds(count: usize) -> usize {
    #[target_feature(enable = "avx512f")]
    fn avx512(count: usize) -> usize {
        chains::<192>(count)
    }
    #[target_feature(enable = "avx2,fma")]
    fn avx2(count: usize) -> usize {
        chains::<96>(count)
    }
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: just checked.
        unsafe { avx512(count) }
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: just checked.
        unsafe { avx2(count) }
    } else {
        chains::<96>(count)
    }
}

/// Twelve registers, enough to hide the latency.
#[inline(always)]
fn chains<const LANES: usize>(count: usize) -> usize {
    let mut sums: [f32; LANES] = std::array::from_fn(|i| std::hint::black_box(i as f32 / LANES as f32));
    for _ in 0..count {
        for sum in &mut sums {
            *sum = sum.mul_add(0.999, 0.001);
        }
    }
    std::hint::black_box(sums);
    LANES
}
