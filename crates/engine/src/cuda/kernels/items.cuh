// What the small kernels share: each thread does one item of many, four or eight neighbouring channels of a place at a time.
#pragma once
#include "device.cuh"

constexpr int ITEM_THREADS = 256;

// This thread's item. There are fewer than 2^32 of them, as an item is at least four numbers; numbers themselves may be
// more, and are counted in 64 bits.
DEVICE uint32_t item() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Splits off the fastest of an item's coordinates, of which there are `count`.
DEVICE int coordinate(uint32_t& rest, int count) {
    uint32_t whole = rest / uint32_t(count);
    int at = int(rest - whole * uint32_t(count));
    rest = whole;
    return at;
}

// 8 bytes.
struct alignas(8) Half { uint32_t word[2]; };

// Four numbers one after the other, beginning at a multiple of four; zeros where they do not `count`. They are read even
// then, so that a thread can have many reads on their way without a branch.
template <class E> DEVICE void load4(float (&x)[4], Address base, size_t at, bool count = true) {
    if constexpr (E::bytes == 4) {
        Quad quad = pointer<const Quad>(base)[at / 4];
        for (int i = 0; i < 4; i++) x[i] = __uint_as_float(count ? quad.word[i] : 0u);
    } else {
        Half half = pointer<const Half>(base)[at / 4];
        for (int i = 0; i < 2; i++) {
            uint32_t word = count ? half.word[i] : 0u;
            x[2 * i] = Pair<E>::low(word), x[2 * i + 1] = Pair<E>::high(word);
        }
    }
}

template <class E> DEVICE void store4(const float (&x)[4], Address base, size_t at) {
    if constexpr (E::bytes == 4) {
        Quad quad;
        for (int i = 0; i < 4; i++) quad.word[i] = __float_as_uint(x[i]);
        pointer<Quad>(base)[at / 4] = quad;
    } else {
        Half half;
        for (int i = 0; i < 2; i++) half.word[i] = Pair<E>::pack(x[2 * i], x[2 * i + 1]);
        pointer<Half>(base)[at / 4] = half;
    }
}

// From or to f32 where that is said.
template <class E> DEVICE void load8(float (&x)[8], Address base, size_t at, bool f32) {
    if (f32) load8<F32>(x, base, at);
    else load8<E>(x, base, at);
}

// The larger of two; what is no number wins, as in PyTorch.
DEVICE float larger(float x, float y) { return y > x || y != y ? y : x; }

// Joins eight numbers of each of a block's threads over those of one group, of which there are `across`, a power of two; thread
// i is of group i % groups. The first of each group has what they come to, in `x` and where `shared` keeps its eight.
template <class With> DEVICE void join8(float (&x)[8], float* shared, int across, int groups, With with) {
    int first = threadIdx.x / groups;
    store8<F32>(x, Address(shared), threadIdx.x * 8);
    for (int half = across / 2; half > 0; half /= 2) {
        __syncthreads();
        if (first >= half) continue;
        float others[8];
        load8<F32>(others, Address(shared), (threadIdx.x + half * groups) * 8);
        for (int i = 0; i < 8; i++) x[i] = with(x[i], others[i]);
        store8<F32>(x, Address(shared), threadIdx.x * 8);
    }
}
DEVICE void join8(float (&sums)[8], float* shared, int across, int groups) {
    join8(sums, shared, across, groups, [](float x, float y) { return x + y; });
}

template <class E> DEVICE float load1(Address base, size_t at, bool f32) {
    return f32 ? load1<F32>(base, at) : load1<E>(base, at);
}

template <class E> DEVICE void store1(float x, Address base, size_t at, bool f32) {
    if (f32) store1<F32>(x, base, at);
    else store1<E>(x, base, at);
}
