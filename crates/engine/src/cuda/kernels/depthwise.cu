// Depthwise convolution: every channel by a kernel of its own, four channels of a tile of neighbouring results a thread.
//
// What limits it is how much a thread must read and unpack for a multiply-add: each number that a tile sees, and each
// weight, is read once for the whole tile. Threads of a block take the same channels, at most 64, of tiles that are
// neighbours, so that lines which several tiles see come from the nearest cache.
//
// **Invariant:** each result is one chain of multiply-adds that begins with the bias and goes through the kernel row by
// row.
#include "items.cuh"

namespace {

// Groups of four channels that a block takes at most.
constexpr int TOGETHER = 16;

// A thread's four channels of a tile.
struct Tile {
    int picture, y, x, channel;

    // Whether there is such a tile; with its upper left result.
    DEVICE bool find(const Depthwise& a, int rows, int columns) {
        // Channels are divided evenly: 24 groups are twice 12, not 16 and 8.
        int groups = a.stride / 4, chunks = blocks_of(groups, TOGETHER), width = blocks_of(groups, chunks);
        uint32_t rest = item();
        int group = coordinate(rest, width);
        x = coordinate(rest, blocks_of(a.out_width, columns)) * columns;
        y = coordinate(rest, blocks_of(a.out_height, rows)) * rows;
        group += coordinate(rest, chunks) * width;
        picture = int(rest), channel = 4 * group;
        return group < groups && rest < uint32_t(a.pictures);
    }

    // The first number of a line of the map.
    DEVICE size_t line(const Depthwise& a, int y) const {
        return (size_t(picture) * a.in_height + y) * a.in_width * a.stride + channel;
    }

    // sums: four channels of one column after the other, row by row.
    template <class E, int ROWS, int COLUMNS> DEVICE void store(const Depthwise& a, float (&sums)[ROWS * COLUMNS * 4]) const {
        if (a.function.activation) round_off<E>(sums);
        activate_each<E>(a.function, sums);
#pragma unroll
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            int row = y + i / COLUMNS, column = x + i % COLUMNS;
            if (row >= a.out_height || column >= a.out_width) continue;
            float four[4] = {sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]};
            size_t place = (size_t(picture) * a.out_height + row) * a.out_width + column;
            store4<E>(four, a.out, place * a.stride + channel);
        }
    }
};

// What a line of the map, from column `left` on, adds to a tile's FIRST row of results by one row of weights, and to its
// SECOND by another.
template <class E, int STEP, int COLUMNS, bool FIRST, bool SECOND, int SIDE, int SUMS>
DEVICE void add_line(float (&sums)[SUMS], const Depthwise& a, size_t line, int left, const float (&first)[SIDE][4],
                     const float (&second)[SIDE][4]) {
#pragma unroll
    for (int i = 0; i < (COLUMNS - 1) * STEP + SIDE; i++) {
        float seen[4];
        int nearest = most(0, least(left + i, a.in_width - 1));
        load4<E>(seen, a.in, line + uint32_t(nearest * a.stride), unsigned(left + i) < unsigned(a.in_width));
#pragma unroll
        for (int column = 0; column < COLUMNS; column++) {
            int dx = i - column * STEP;
            if (dx < 0 || dx >= SIDE) continue;
#pragma unroll
            for (int c = 0; c < 4; c++) {
                int at = 4 * column + c;
                if constexpr (FIRST) sums[at] = fmaf(seen[c], first[dx][c], sums[at]);
                if constexpr (SECOND) sums[4 * COLUMNS + at] = fmaf(seen[c], second[dx][c], sums[4 * COLUMNS + at]);
            }
        }
    }
}

template <class E, int SIDE, int STEP, int ROWS, int COLUMNS> DEVICE void convolve(const Depthwise& a) {
    // Of two rows, the second sees a line by the row of weights before the one that the first sees it by.
    static_assert(ROWS == 1 || (ROWS == 2 && STEP == 1 && SIDE % 2 == 1), "two rows share lines");
    Tile tile;
    if (!tile.find(a, ROWS, COLUMNS)) return;
    float bias[4], sums[ROWS * COLUMNS * 4], weights[ROWS][SIDE][4];
    load4<F32>(bias, a.bias, tile.channel);
#pragma unroll
    for (int i = 0; i < ROWS * COLUMNS * 4; i++) sums[i] = bias[i % 4];
    int top = tile.y * STEP - a.pad_y, left = tile.x * STEP - a.pad_x;
    Address next = a.weights + size_t(tile.channel) * F32::bytes;
    // As a loop: code for all lines would not fit where instructions are kept.
#pragma unroll 1
    for (int pair = 0; pair < SIDE + ROWS - 1; pair += ROWS) {
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            int dy = pair + i;
            if (i == 0 || dy < SIDE)
#pragma unroll
                for (int dx = 0; dx < SIDE; dx++) load4<F32>(weights[i][dx], next, 0), next += size_t(a.stride) * F32::bytes;
            if (unsigned(top + dy) >= unsigned(a.in_height)) continue;
            size_t line = tile.line(a, top + dy);
            if constexpr (ROWS == 1) {
                add_line<E, STEP, COLUMNS, true, false>(sums, a, line, left, weights[0], weights[0]);
            } else {
                if (i == 0 && dy == 0) add_line<E, STEP, COLUMNS, true, false>(sums, a, line, left, weights[0], weights[1]);
                else if (i == 1 && dy == SIDE) add_line<E, STEP, COLUMNS, false, true>(sums, a, line, left, weights[1], weights[0]);
                else add_line<E, STEP, COLUMNS, true, true>(sums, a, line, left, weights[i], weights[1 - i]);
            }
        }
    }
    tile.store<E, ROWS, COLUMNS>(a, sums);
}

// Places of a window from `start` on that come before the map, and those before its end.
DEVICE int before(int start, int dilation) { return start < 0 ? blocks_of(-start, dilation) : 0; }
DEVICE int until(int start, int dilation, int kernel, int length) {
    return start < length ? least(kernel, blocks_of(length - start, dilation)) : 0;
}

// Any window, one result at a time.
template <class E> DEVICE void convolve_any(const Depthwise& a) {
    Tile tile;
    if (!tile.find(a, 1, 1)) return;
    float sums[4];
    load4<F32>(sums, a.bias, tile.channel);
    int top = tile.y * a.step_y - a.pad_y, left = tile.x * a.step_x - a.pad_x;
    int end_y = until(top, a.dilation_y, a.kernel_y, a.in_height), end_x = until(left, a.dilation_x, a.kernel_x, a.in_width);
    for (int dy = before(top, a.dilation_y); dy < end_y; dy++) {
        size_t line = tile.line(a, top + dy * a.dilation_y);
        for (int dx = before(left, a.dilation_x); dx < end_x; dx++) {
            float seen[4], weights[4];
            load4<E>(seen, a.in, line + size_t(left + dx * a.dilation_x) * a.stride);
            load4<F32>(weights, a.weights, size_t(dy * a.kernel_x + dx) * a.stride + tile.channel);
            for (int c = 0; c < 4; c++) sums[c] = fmaf(seen[c], weights[c], sums[c]);
        }
    }
    tile.store<E, 1, 1>(a, sums);
}

// Kernels whose tiles take more registers than are left to each of many threads, and which compute as long as they read.
template <class E> DEVICE void convolve_wide(const Depthwise& a) {
    if (a.kernel_x == 5) convolve<E, 5, 1, 2, 4>(a);
    else convolve<E, 7, 1, 2, 7>(a);
}

template <class E> DEVICE void convolve_others(const Depthwise& a) {
    bool square = a.kernel_y == a.kernel_x && a.step_y == a.step_x && a.dilation_y == 1 && a.dilation_x == 1;
    switch (square && a.step_x <= 2 ? a.kernel_x * 10 + a.step_x : 0) {
    case 31: return convolve<E, 3, 1, 2, 4>(a);
    case 32: return convolve<E, 3, 2, 1, 4>(a);
    case 52: return convolve<E, 5, 2, 1, 4>(a);
    case 72: return convolve<E, 7, 2, 1, 4>(a);
    default: return convolve_any<E>(a);
    }
}

}  // namespace

// Blocks along x: of 128 threads for depthwise_wide_, which is for kernels 5 and 7 with step 1 alone; of 256 for depthwise_.
// An item is four channels of a tile, so that, with chunks = ceil(stride / 64), there are
//     pictures * chunks * ceil(out_height / rows) * ceil(out_width / columns) * ceil(stride / 4 / chunks)
// items. A tile's (rows, columns) are (2, 4) for kernels 3 and 5 with step 1, (2, 7) for kernel 7 with step 1, (1, 4) for
// kernels 3, 5 and 7 with step 2, and (1, 1) for all others. Kernels and steps are those that are the same down and across,
// without dilation; all other windows are among the others. Seven columns divide the maps of 224 pixels' networks (56, 28,
// 14, 7) evenly.
#define DEPTHWISE(name, wide, E)                                               \
    KERNEL(name, Depthwise, ITEM_THREADS, 2) { convolve_others<E>(a); }        \
    KERNEL(wide, Depthwise, 128, E::bytes == 4 ? 2 : 3) { convolve_wide<E>(a); }
DEPTHWISE(depthwise_f32, depthwise_wide_f32, F32)
DEPTHWISE(depthwise_f16, depthwise_wide_f16, F16)
DEPTHWISE(depthwise_b16, depthwise_wide_b16, B16)
