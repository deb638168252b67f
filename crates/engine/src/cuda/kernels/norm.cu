// Layer normalisation: (x - mean) / sqrt(variance + eps) * weight + bias over the channels of each row.
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

}  // namespace

// Blocks of 256 threads along x; there are rows * (stride <= 128 ? 16 : 32) items, a row's being neighbours.
#define LAYER_NORM(name, E) \
    KERNEL(name, LayerNorm, ITEM_THREADS, 4) { normalise_row<E>(a); }
LAYER_NORM(layer_norm_f32, F32)
LAYER_NORM(layer_norm_f16, F16)
LAYER_NORM(layer_norm_b16, B16)
