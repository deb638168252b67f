//! Whether confidences are as often right as they say: reliability bins and the expected calibration error.

/// Number of bins of the expected calibration error, and of [`Bins`].
pub const ECE_BINS: usize = 15;
pub(crate) const BINS: usize = ECE_BINS;

/// How confidences are shared out over bins, which are closed on the right either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binning {
    /// Bins of equal width, ((m − 1)/15, m/15] (Guo et al., 2017).
    EqualWidth,
    /// Bins of equal mass: their edges are the percentiles 100 m/15 of the confidences, as `numpy.percentile`
    /// interpolates them and `calibration_curve(strategy="quantile")` uses them (Nixon et al., 2019). Rows of
    /// equal confidence share a bin, so the masses are equal only as far as ties let them.
    EqualMass,
}

/// Fifteen bins of confidence and what fell into them.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    /// Ascending; bin m is (edges[m], edges[m + 1]], the first one with its lower edge.
    edges: [f64; BINS + 1],
    rows: [u64; BINS],
    hits: [u64; BINS],
    confidences: [f64; BINS],
}

/// One bar of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Lower edge of the bin.
    pub low: f64,
    /// Upper edge of the bin.
    pub high: f64,
    /// Rows in the bin, at least one.
    pub rows: u64,
    /// The part of them that is predicted rightly.
    pub accuracy: f64,
    /// Their mean confidence.
    pub confidence: f64,
}

impl Bins {
    pub(crate) fn equal_width() -> Bins {
        Bins::between(std::array::from_fn(|edge| edge as f64 / BINS as f64))
    }

    pub(crate) fn between(edges: [f64; BINS + 1]) -> Bins {
        Bins { edges, rows: [0; BINS], hits: [0; BINS], confidences: [0.0; BINS] }
    }

    pub(crate) fn edges(&self) -> &[f64; BINS + 1] {
        &self.edges
    }

    /// Adds `rows` rows, `hits` of them right, and the sum of their confidences to `bin`.
    pub(crate) fn add(&mut self, bin: usize, rows: u64, hits: u64, confidences: f64) {
        self.rows[bin] += rows;
        self.hits[bin] += hits;
        self.confidences[bin] += confidences;
    }

    /// The gaps between each bin's accuracy and mean confidence, averaged, weighted by the bins' rows (Guo et
    /// al., 2017, equation 3). `None` without rows.
    pub fn expected_calibration_error(&self) -> Option<f64> {
        let rows: u64 = self.rows.iter().sum();
        let bins = self.hits.iter().zip(&self.confidences);
        let gaps: f64 = bins.map(|(&hits, confidence)| (hits as f64 - confidence).abs()).sum();
        (rows > 0).then(|| gaps / rows as f64)
    }

    /// The bins that hold rows, in ascending order.
    pub fn reliability(&self) -> Vec<ReliabilityBin> {
        let full = (0..BINS).filter(|&bin| self.rows[bin] > 0);
        full.map(|bin| ReliabilityBin {
            low: self.edges[bin],
            high: self.edges[bin + 1],
            rows: self.rows[bin],
            accuracy: self.hits[bin] as f64 / self.rows[bin] as f64,
            confidence: self.confidences[bin] / self.rows[bin] as f64,
        })
        .collect()
    }
}

/// The bin of equal width whose right-closed interval holds `confidence`.
pub(crate) fn bin_of(confidence: f64) -> usize {
    let edge = |bin: usize| bin as f64 / BINS as f64;
    (0..BINS - 1).find(|&bin| confidence <= edge(bin + 1)).unwrap_or(BINS - 1)
}

/// Edges of equal mass of `rows` confidences; `ascending` gives the confidence at a place in ascending order.
/// Without rows, edges of equal width.
///
/// Places are worked out as `numpy.percentile(…, numpy.linspace(0, 1, 16) * 100)` rounds them: where a place
/// falls upon a confidence, the last bit decides whether that row lies below the edge or above it.
pub(crate) fn mass_edges(rows: u64, ascending: impl Fn(u64) -> f64) -> [f64; BINS + 1] {
    if rows == 0 {
        return *Bins::equal_width().edges();
    }
    let step = 1.0 / BINS as f64;
    std::array::from_fn(|edge| {
        let part = if edge == BINS { 1.0 } else { edge as f64 * step };
        let place = (rows - 1) as f64 * (part * 100.0 / 100.0);
        let (floor, between) = (place.floor(), place.fract());
        let low = ascending((floor as u64).min(rows - 1));
        let high = ascending((floor as u64 + 1).min(rows - 1));
        interpolate(low, high, between)
    })
}

/// numpy's linear interpolation, which comes from the nearer end.
pub(crate) fn interpolate(low: f64, high: f64, part: f64) -> f64 {
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_on_the_right() {
        for (confidence, bin) in
            [(0.0, 0), (1.0 / 15.0, 0), (1.0 / 15.0 + 1e-9, 1), (0.2, 2), (0.5, 7), (1.0, 14)]
        {
            assert_eq!(bin_of(confidence), bin, "{confidence}");
        }
    }

    #[test]
    fn edges_of_equal_mass() {
        let values: Vec<f64> = (0..31).map(|at| f64::from(at) / 32.0).collect();
        // Thirty gaps: every second value is an edge, up to the rounding of its place.
        for (edge, got) in mass_edges(31, |place| values[place as usize]).iter().enumerate() {
            assert!((got - values[2 * edge]).abs() < 1e-15, "{edge}: {got}");
        }
        assert_eq!(mass_edges(1, |_| 0.75), [0.75; BINS + 1]);
        assert_eq!(mass_edges(0, |_| f64::NAN)[BINS], 1.0);
    }

    #[test]
    fn gaps_are_weighted_by_rows() {
        let mut bins = Bins::equal_width();
        assert_eq!(bins.expected_calibration_error(), None);
        bins.add(14, 3, 3, 3.0 * 0.96875);
        bins.add(7, 1, 0, 0.5);
        assert_eq!(bins.expected_calibration_error(), Some((3.0 * 0.03125 + 0.5) / 4.0));
        let reliability = bins.reliability();
        assert_eq!(reliability.len(), 2);
        assert_eq!((reliability[0].rows, reliability[0].accuracy, reliability[0].confidence), (1, 0.0, 0.5));
        assert_eq!((reliability[1].low, reliability[1].high), (14.0 / 15.0, 1.0));
    }
}
