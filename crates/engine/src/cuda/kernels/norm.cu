// Layer normalisation: (x - mean) / sqrt(variance + eps) * weight + bias over the channels of each row. And rows, or parts of rows,
// over the root of their mean square, or over their length.
//
// A warp does a row, or half a warp one of up to 128 channels. Rows of up to 1024 channels stay in registers; of longer
// ones each pass reads again what it needs, which the nearest cache still has.
//
// **Invariant:** lane i of n adds up the groups of eight channels i, i + n, … in order, and lanes are joined by a fixed
// tree: a row's bits depend on nothing but the row.
#include "items.cuh"

namespace {

template <int LANES> DEVICE float joined(float sum) {
#pragma unroll
    for (int lanes = LANES / 2; lanes > 0; lanes /= 2) sum += shuffle_xor(sum, lanes);
    return sum;
}

DEVICE float sum_of(const float (&x)[8]) { return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])); }

// x less the mean. What comes after the channels has no part in a mean or a variance: zeros.
DEVICE void subtract(float (&x)[8], float mean, int left) {
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = i < left ? x[i] - mean : 0.f;
}

DEVICE float squares_of(const float (&x)[8]) {
    float squares[8];
#pragma unroll
    for (int i = 0; i < 8; i++) squares[i] = x[i] * x[i];
    return sum_of(squares);
}

template <class E> DEVICE void finish(const LayerNorm& a, float (&x)[8], float share, size_t row, int channel) {
    float weight[8], bias[8];
    load8<F32>(weight, a.weight, channel);
    load8<F32>(bias, a.bias, channel);
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = fmaf(x[i] * share, weight[i], bias[i]);
    store8<E>(x, a.out, row * a.stride + channel, a.out_f32 != 0);
}

DEVICE float share_of(const LayerNorm& a, float squares) { return 1.f / sqrtf(squares / float(a.channels) + a.eps); }

// Rows of up to 8·LANES·GROUPS channels.
template <class E, int LANES, int GROUPS> DEVICE void short_row(const LayerNorm& a) {
    int first = threadIdx.x % LANES * 8;
    size_t row = size_t(item()) / LANES;
    // All lanes of a warp go on, as they join their sums; those without a row do the last one's once more.
    bool there = row < size_t(a.rows);
    if (!there) row = size_t(a.rows) - 1;
    float x[GROUPS][8], sum = 0.f, squares = 0.f;
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
        int channel = first + group * LANES * 8;
#pragma unroll
        for (int i = 0; i < 8; i++) x[group][i] = 0.f;
        if (channel < a.channels) load8<E>(x[group], a.in, row * a.stride + channel);
        subtract(x[group], 0.f, a.channels - channel);
    }
#pragma unroll
    for (int group = 0; group < GROUPS; group++) sum += sum_of(x[group]);
    float mean = joined<LANES>(sum) / float(a.channels);
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
        subtract(x[group], mean, a.channels - (first + group * LANES * 8));
        squares += squares_of(x[group]);
    }
    float share = share_of(a, joined<LANES>(squares));
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
        int channel = first + group * LANES * 8;
        if (there && channel < a.stride) finish<E>(a, x[group], share, row, channel);
    }
}

// Rows of any number of channels.
template <class E> DEVICE void long_row(const LayerNorm& a) {
    constexpr int LANES = 32;
    int first = threadIdx.x % LANES * 8;
    size_t row = size_t(item()) / LANES;
    if (row >= size_t(a.rows)) return;
    float x[8], sum = 0.f, squares = 0.f;
#pragma unroll 4
    for (int channel = first; channel < a.channels; channel += LANES * 8) {
        load8<E>(x, a.in, row * a.stride + channel);
        subtract(x, 0.f, a.channels - channel);
        sum += sum_of(x);
    }
    float mean = joined<LANES>(sum) / float(a.channels);
#pragma unroll 4
    for (int channel = first; channel < a.channels; channel += LANES * 8) {
        load8<E>(x, a.in, row * a.stride + channel);
        subtract(x, mean, a.channels - channel);
        squares += squares_of(x);
    }
    float share = share_of(a, joined<LANES>(squares));
#pragma unroll 2
    for (int channel = first; channel < a.stride; channel += LANES * 8) {
        load8<E>(x, a.in, row * a.stride + channel);
        subtract(x, mean, a.channels - channel);
        finish<E>(a, x, share, row, channel);
    }
}

template <class E> DEVICE void normalise_row(const LayerNorm& a) {
    // Which it is depends on the stride alone, as the number of blocks does.
    if (a.stride <= 128) short_row<E, 16, 1>(a);
    else if (a.stride <= 256) short_row<E, 32, 1>(a);
    else if (a.stride <= 512) short_row<E, 32, 2>(a);
    else if (a.stride <= 768) short_row<E, 32, 3>(a);
    else if (a.stride <= 1024) short_row<E, 32, 4>(a);
    else long_row<E>(a);
}

// Eight channels of a part that begins at `from`. Those of parts that are no whole groups of eight lie anywhere.
template <class E> DEVICE void load_part(const RootMean& a, float (&x)[8], size_t from, int channel) {
    int left = a.channels - channel;
    if (a.parts == 1 || a.channels % 8 == 0) {
        load8<E>(x, a.in, from + channel);
        subtract(x, 0.f, left);
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) x[i] = i < left ? load1<E>(a.in, from + channel + i) : 0.f;
    }
}

template <class E> DEVICE void store_part(const RootMean& a, const float (&x)[8], size_t from, int channel, bool last) {
    bool f32 = a.out_f32 != 0;
    if (a.parts == 1 || a.channels % 8 == 0) return store8<E>(x, a.out, from + channel, f32);
    int left = a.channels - channel;
#pragma unroll
    for (int i = 0; i < 8; i++)
        if (i < left) store1<E>(x[i], a.out, from + channel + i, f32);
    if (last && left <= 8)
        for (int i = 0; i < a.stride - a.parts * a.channels; i++) store1<E>(0.f, a.out, from + a.channels + i, f32);
}

// A part of a row by LANES lanes; it is read twice, the second time from the nearest cache.
template <class E, int LANES> DEVICE void root_mean(const RootMean& a) {
    int first = threadIdx.x % LANES * 8;
    size_t part = size_t(item()) / LANES, all = size_t(a.rows) * a.parts;
    // All lanes of a warp go on, as they join their sums; those without a part do the last one's once more.
    bool there = part < all;
    if (!there) part = all - 1;
    int at = int(part % a.parts);
    size_t from = part / a.parts * a.stride + size_t(at) * a.channels;
    float x[8], squares = 0.f;
#pragma unroll 4
    for (int channel = first; channel < a.channels; channel += LANES * 8) {
        load_part<E>(a, x, from, channel);
        squares += squares_of(x);
    }
    squares = joined<LANES>(squares);
    if (!there) return;
    float share = 1.f / sqrtf(squares / float(a.channels) + a.eps), length = fmaxf(sqrtf(squares), 1e-12f);
#pragma unroll 2
    for (int channel = first; channel < a.channels; channel += LANES * 8) {
        load_part<E>(a, x, from, channel);
        if (a.weight) {
            float weight[8];
            load8<F32>(weight, a.weight, channel);
#pragma unroll
            for (int i = 0; i < 8; i++) x[i] = x[i] * share * weight[i];
        } else {
#pragma unroll
            for (int i = 0; i < 8; i++) x[i] /= length;
        }
        store_part<E>(a, x, from, channel, at + 1 == a.parts);
    }
}

}  // namespace

// Blocks of 256 threads along x; there are rows * (stride <= 128 ? 16 : 32) items, a row's being neighbours.
#define LAYER_NORM(name, E) \
    KERNEL(name, LayerNorm, ITEM_THREADS, 4) { normalise_row<E>(a); }
LAYER_NORM(layer_norm_f32, F32)
LAYER_NORM(layer_norm_f16, F16)
LAYER_NORM(layer_norm_b16, B16)

// As above; there are rows * parts * (channels <= 128 ? 16 : 32) items, a part's being neighbours.
#define ROOT_MEAN(name, E)                            \
    KERNEL(name, RootMean, ITEM_THREADS, 4) {         \
        if (a.channels <= 128) root_mean<E, 16>(a);   \
        else root_mean<E, 32>(a);                     \
    }
ROOT_MEAN(root_mean_f32, F32)
ROOT_MEAN(root_mean_f16, F16)
ROOT_MEAN(root_mean_b16, B16)
