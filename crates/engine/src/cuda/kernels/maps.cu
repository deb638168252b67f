// Work that moves numbers more than it computes: sums, scales and gates of maps, pooling, means, and copies between rows.
// Threads take eight neighbouring channels, so that neighbouring threads read and write neighbouring 16 bytes.
#include "items.cuh"

namespace {

constexpr int MEAN_THREADS = 256;
// Groups of eight channels that a block takes means of, at most.
constexpr int MEAN_GROUPS = 32;

template <class E> DEVICE void map(const Map& a) {
    uint32_t rest = item();
    int channel = 8 * coordinate(rest, a.stride / 8);
    if (rest >= uint32_t(a.rows)) return;
    size_t at = size_t(rest) * a.stride + channel;
    float x[8], y[8];
    load8<E>(x, a.in, at);
    if (a.scale) {
        load8<F32>(y, a.scale, channel);
        for (int i = 0; i < 8; i++) x[i] *= y[i];
    }
    if (a.shift) {
        load8<F32>(y, a.shift, channel);
        for (int i = 0; i < 8; i++) x[i] += y[i];
    }
    if (a.other) {
        round_off<E>(x);
        load8<E>(y, a.other, at);
        for (int i = 0; i < 8; i++) x[i] += y[i];
    }
    if (a.gate) {
        round_off<E>(x);
        load8<E>(y, a.gate, size_t(rest / uint32_t(a.places)) * a.stride + channel);
        for (int i = 0; i < 8; i++) x[i] *= y[i];
    }
    if (a.function.activation) {
        round_off<E>(x);
        activate_each<E>(a.function, x);
    }
    store8<E>(x, a.out, at);
}

template <class E, bool AVERAGE> DEVICE void pool(const Pool& a) {
    uint32_t rest = item();
    int channel = 8 * coordinate(rest, a.stride / 8);
    size_t place = rest;
    int x = coordinate(rest, a.out_width) * a.step_x - a.pad_x, y = coordinate(rest, a.out_height) * a.step_y - a.pad_y;
    if (rest >= uint32_t(a.pictures)) return;
    int left = most(x, 0), right = least(x + a.kernel_x, a.in_width);
    int top = most(y, 0), bottom = least(y + a.kernel_y, a.in_height);
    int counted = (right - left) * (bottom - top);
    // What sticks out of the padding is no part of the window.
    if (a.counts_padding) counted = (least(x + a.kernel_x, a.in_width + a.end_x) - x) * (least(y + a.kernel_y, a.in_height + a.end_y) - y);
    float result[8];
    for (int i = 0; i < 8; i++) result[i] = AVERAGE ? 0.f : -INFINITY;
    for (y = top; y < bottom; y++) {
        size_t line = (size_t(rest) * a.in_height + y) * a.in_width * a.stride + channel;
        // Means are sums of each line's sum, which rounds less than one long sum.
        float sums[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
#pragma unroll 4
        for (x = left; x < right; x++) {
            float seen[8];
            load8<E>(seen, a.in, line + size_t(x) * a.stride);
            for (int i = 0; i < 8; i++) {
                if constexpr (AVERAGE) sums[i] += seen[i];
                else result[i] = larger(result[i], seen[i]);
            }
        }
        if constexpr (AVERAGE)
            for (int i = 0; i < 8; i++) result[i] += sums[i];
    }
    if constexpr (AVERAGE) {
        for (int i = 0; i < 8; i++) result[i] /= float(counted);
    }
    store8<E>(result, a.out, place * a.stride + channel);
}

// A block's means: threads of one group of eight channels take every `across`-th place, and a tree joins what they have.
template <class E> DEVICE void mean(const Mean& a, float* shared) {
    int all = a.stride / 8, groups = 1;
    while (groups < all && groups < MEAN_GROUPS) groups *= 2;
    int across = MEAN_THREADS / groups, first = threadIdx.x / groups;
    uint32_t rest = blockIdx.x;
    int group = coordinate(rest, blocks_of(all, groups)) * groups + threadIdx.x % groups;
    int column = coordinate(rest, a.out_width), row = coordinate(rest, a.out_height), picture = int(rest);

    int left = int(int64_t(column) * a.in_width / a.out_width), top = int(int64_t(row) * a.in_height / a.out_height);
    int right = int((int64_t(column + 1) * a.in_width + a.out_width - 1) / a.out_width);
    int bottom = int((int64_t(row + 1) * a.in_height + a.out_height - 1) / a.out_height);
    int width = right - left, count = width * (bottom - top);
    bool whole = width == a.in_width;
    size_t from = size_t(picture) * (a.skip + size_t(a.in_height) * a.in_width) + a.skip + size_t(top) * a.in_width + left;

    float sums[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    if (group < all) {
#pragma unroll 4
        for (int place = first; place < count; place += across) {
            // Whole lines are one after the other, which spares the division.
            int at = whole ? place : place / width * a.in_width + place % width;
            float seen[8];
            load8<E>(seen, a.in, (from + at) * a.stride + 8 * group);
            for (int i = 0; i < 8; i++) sums[i] += seen[i];
        }
    }
    join8(sums, shared, across, groups);
    if (first != 0 || group >= all) return;
    for (int i = 0; i < 8; i++) sums[i] /= float(count);
    size_t cell = (size_t(picture) * a.out_height + row) * a.out_width + column;
    store8<E>(sums, a.out, cell * a.stride + 8 * group, a.out_f32 != 0);
}

template <class E> DEVICE void copy(const Copy& a) {
    // Groups of eight numbers of out's rows, the first and the last of which may be written in part.
    int begin = a.out_first, end = a.out_first + a.channels, written = a.fill ? a.out_stride : end;
    uint32_t rest = item();
    int group = 8 * (begin / 8 + coordinate(rest, blocks_of(written, 8) - begin / 8));
    int row = coordinate(rest, a.rows);
    if (rest >= uint32_t(a.pictures)) return;
    // By where a number stands in out's row. Before the first they are of a row that is not the first, or not read.
    size_t in = (size_t(rest) * a.in_rows + a.from + row) * a.in_stride - begin;
    size_t table = size_t(row) * a.channels - begin;
    size_t out = (size_t(rest) * a.out_rows + a.to + row) * a.out_stride;
    bool in_f32 = a.in_f32 != 0, out_f32 = a.out_f32 != 0;

    float x[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    bool full = group >= begin && group + 8 <= end;
    if (full && begin % 8 == 0 && (!a.table || a.channels % 4 == 0)) {
        if (a.in) load8<E>(x, a.in, in + group, in_f32);
        if (a.table) {
            float added[8];
            load8<F32>(added, a.table, table + group);
            for (int i = 0; i < 8; i++) x[i] += added[i];
        }
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int at = group + i;
            if (at < begin || at >= end) continue;
            if (a.in) x[i] = load1<E>(a.in, in + at, in_f32);
            if (a.table) x[i] += load1<F32>(a.table, table + at);
        }
    }
    if (full || (group >= begin && a.fill)) {
        store8<E>(x, a.out, out + group, out_f32);
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++)
            if (group + i >= begin && group + i < written) store1<E>(x[i], a.out, out + group + i, out_f32);
    }
}

template <class E> DEVICE void merge(const Merge& a) {
    uint32_t rest = item();
    int group = 8 * coordinate(rest, a.out_stride / 8);
    size_t place = rest;
    int x = 2 * coordinate(rest, blocks_of(a.in_width, 2)), y = 2 * coordinate(rest, blocks_of(a.in_height, 2));
    if (rest >= uint32_t(a.pictures)) return;
    float result[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    // Where number `number` of the merged place comes from, if from anywhere.
    size_t from = 0;
    auto find = [&](int number) {
        int part = number / a.channels, at_y = y + part % 2, at_x = x + part / 2;
        from = ((size_t(rest) * a.in_height + at_y) * a.in_width + at_x) * a.in_stride + number % a.channels;
        return part < 4 && at_y < a.in_height && at_x < a.in_width;
    };
    if (a.channels % 8 == 0) {
        if (find(group)) load8<E>(result, a.in, from);
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++)
            if (find(group + i)) result[i] = load1<E>(a.in, from);
    }
    store8<E>(result, a.out, place * a.out_stride + group);
}

template <class E> DEVICE void select(const Select& a) {
    uint32_t rest = item();
    int group = 8 * coordinate(rest, a.out_stride / 8);
    if (rest >= uint32_t(a.rows)) return;
    size_t in = size_t(rest) * a.in_stride + a.first;
    float x[8] = {0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f};
    if (a.groups == 1 && a.first % 8 == 0 && group + 8 <= a.channels) {
        load8<E>(x, a.in, in + group);
    } else {
        int each = a.channels / a.groups;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int channel = group + i;
            if (channel < a.channels) x[i] = load1<E>(a.in, in + channel % a.groups * each + channel / a.groups);
        }
    }
    store8<E>(x, a.out, size_t(rest) * a.out_stride + group);
}

template <class E> DEVICE void flatten(const Flatten& a) {
    uint32_t rest = item();
    // What stands outside changes slowly, what stands inside fast.
    int inside = a.by_place ? a.channels : a.places, outside = a.by_place ? a.places : a.channels;
    int number = 8 * coordinate(rest, a.out_stride / 8), slow = number / inside, fast = number % inside;
    if (rest >= uint32_t(a.pictures)) return;
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        x[i] = 0.f;
        int place = a.by_place ? slow : fast, channel = a.by_place ? fast : slow;
        if (slow < outside)
            x[i] = load1<E>(a.in, (size_t(rest) * a.places + place) * a.in_stride + channel, a.in_f32 != 0);
        if (++fast == inside) fast = 0, slow++;
    }
    store8<E>(x, a.out, size_t(rest) * a.out_stride + number, a.out_f32 != 0);
}

}  // namespace

// All have blocks of 256 threads along x; a thread does one item, eight numbers of a row of the result:
//     map_      rows * stride / 8
//     pool_     pictures * out_height * out_width * stride / 8
//     copy_     pictures * rows * (ceil(written / 8) - floor(out_first / 8)), written = fill ? out_stride : out_first + channels
//     merge_    pictures * ceil(in_height / 2) * ceil(in_width / 2) * out_stride / 8
//     flatten_  pictures * out_stride / 8
//     select_   rows * out_stride / 8
// but with mean_ a block does one cell of a picture and 8·groups channels, where groups is the least power of 2 that is not
// below stride / 8, or 32 where that is more; it has 8192 bytes of shared memory. There are
//     pictures * out_height * out_width * ceil(stride / 8 / groups)
// of its blocks.
#define MAPS(E, map_name, pool_name, mean_name, copy_name, merge_name, flatten_name, select_name) \
    KERNEL(map_name, Map, ITEM_THREADS, 4) { map<E>(a); }                                        \
    KERNEL(pool_name, Pool, ITEM_THREADS, 4) {                                                   \
        if (a.average) pool<E, true>(a);                                                         \
        else pool<E, false>(a);                                                                  \
    }                                                                                            \
    KERNEL(mean_name, Mean, MEAN_THREADS, 4) {                                                   \
        SHARED(shared);                                                                          \
        mean<E>(a, reinterpret_cast<float*>(shared));                                            \
    }                                                                                            \
    KERNEL(copy_name, Copy, ITEM_THREADS, 4) { copy<E>(a); }                                     \
    KERNEL(merge_name, Merge, ITEM_THREADS, 4) { merge<E>(a); }                                  \
    KERNEL(flatten_name, Flatten, ITEM_THREADS, 4) { flatten<E>(a); }                            \
    KERNEL(select_name, Select, ITEM_THREADS, 4) { select<E>(a); }
MAPS(F32, map_f32, pool_f32, mean_f32, copy_f32, merge_f32, flatten_f32, select_f32)
MAPS(F16, map_f16, pool_f16, mean_f16, copy_f16, merge_f16, flatten_f16, select_f16)
MAPS(B16, map_b16, pool_b16, mean_b16, copy_b16, merge_b16, flatten_b16, select_b16)
