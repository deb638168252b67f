// Convolutions and dense layers, as products of what each place sees and the weights.
//
// Nothing is laid out first: row m of the left side is what place m of the result sees, gathered 16 bytes at a time from
// where it lies (`Piece`), zeros outside the map. A block makes a tile of 128 rows and COLUMNS columns, 128 bytes of each
// row's k at a time, three stages of which are on their way or being used.
//
// A row of 128 bytes lies in shared memory with its eight pieces exchanged by the row's number, so that eight rows'
// pieces of one number lie in different banks; weights come laid out like that, tile after tile, step after step.
//
// **Invariant:** each result is one chain of sums along k in its order, however many rows there are and wherever in them
// it stands: the number of pictures does not change its bits.
#include "device.cuh"

namespace {

constexpr int ROWS = 128;
constexpr int STAGES = 3;
constexpr int THREADS = 256;
// Bytes of k of a row that a stage holds.
constexpr int DEPTH = 128;

DEVICE unsigned char* piece_of(unsigned char* tile, int row, int piece) {
    return tile + row * DEPTH + ((piece ^ (row & 7)) << 4);
}

// Where this thread finds what its rows see: piece `thread % 8` of rows `thread / 8 + 32 i`.
template <class E> struct Seen {
    static constexpr int EACH = ROWS * 8 / THREADS;
    int y[EACH], x[EACH], from[EACH];
    // Of the step that is copied next: asked for a step ahead.
    Piece piece;

    DEVICE Seen(const Products& a, int first) {
        piece = pointer<const Piece>(a.pieces)[threadIdx.x % 8];
        for (int i = 0; i < EACH; i++) {
            int row = first + threadIdx.x / 8 + THREADS / 8 * i;
            int places = a.out_height * a.out_width;
            int picture = row / places, place = row % places;
            from[i] = picture * a.in_height * a.in_width;
            // A row that is not there sees nothing: far above the map.
            y[i] = row < a.rows ? place / a.out_width * a.step_y - a.pad_y : -0x10000;
            x[i] = place % a.out_width * a.step_x - a.pad_x;
        }
    }

    DEVICE void copy(const Products& a, unsigned char* tile, int step, int right) {
        int column = threadIdx.x % 8;
        for (int i = 0; i < EACH; i++) {
            int at_y = y[i] + piece.dy, at_x = x[i] + piece.dx;
            bool there = unsigned(at_y) < unsigned(a.in_height) && unsigned(at_x) < unsigned(a.in_width);
            size_t place = there ? from[i] + at_y * a.in_width + at_x : 0;
            size_t number = there ? place * a.in_stride + piece.at + right : 0;
            copy16(piece_of(tile, threadIdx.x / 8 + THREADS / 8 * i, column),
                   pointer<const unsigned char>(a.in) + number * E::bytes, there);
        }
        if (step + 1 < a.steps) piece = pointer<const Piece>(a.pieces)[(step + 1) * 8 + column];
    }
};

// Eight warps, each with 16·MANY rows and 32 columns of the tile, by the tensor cores.
template <class M, int COLUMNS> struct Tensor {
    static constexpr int ACROSS = COLUMNS / 32, MANY = COLUMNS / 32;
    float sums[MANY][4][4];
    int lane, row, column;

    DEVICE Tensor() {
        int warp = threadIdx.x / 32;
        lane = threadIdx.x % 32, row = warp / ACROSS * 16 * MANY, column = warp % ACROSS * 32;
        for (int i = 0; i < MANY; i++)
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 4; k++) sums[i][j][k] = 0.f;
    }

    DEVICE void add(unsigned char* seen, unsigned char* weights) {
#pragma unroll
        for (int k = 0; k < DEPTH / 32; k++) {
            uint32_t left[MANY][4], right[4][2];
            for (int i = 0; i < MANY; i++) {
                load_matrices(left[i], piece_of(seen, row + 16 * i + lane % 16, 2 * k + lane / 16));
                // Weights came rounded.
                if constexpr (M::bytes == 4)
                    for (int word = 0; word < 4; word++) left[i][word] = tf32(left[i][word]);
            }
            for (int j = 0; j < 4; j += 2) {
                uint32_t both[4];
                load_matrices(both, piece_of(weights, column + 8 * j + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
                right[j][0] = both[0], right[j][1] = both[1], right[j + 1][0] = both[2], right[j + 1][1] = both[3];
            }
            for (int i = 0; i < MANY; i++)
                for (int j = 0; j < 4; j++) multiply<M>(sums[i][j], left[i], right[j]);
        }
    }

    // Puts the sums into a tile of f32 with `pitch` numbers a row.
    DEVICE void put(float* tile, int pitch) const {
        for (int i = 0; i < MANY; i++)
            for (int j = 0; j < 4; j++) {
                float* at = tile + (row + 16 * i + lane / 4) * pitch + column + 8 * j + lane % 4 * 2;
                at[0] = sums[i][j][0], at[1] = sums[i][j][1];
                at[8 * pitch] = sums[i][j][2], at[8 * pitch + 1] = sums[i][j][3];
            }
    }
};

#ifdef WARPGROUPS
// Two groups of four warps, each with 64 rows and all columns, by the tensor cores of compute capability 9.0, which read
// both sides from shared memory.
template <class E, int COLUMNS> struct Group {
    float sums[COLUMNS / 8][4];

    DEVICE Group() {
        for (int j = 0; j < COLUMNS / 8; j++)
            for (int k = 0; k < 4; k++) sums[j][k] = 0.f;
    }

    DEVICE void begin(unsigned char* seen, unsigned char* weights) {
        group_begin<E>(sums, seen + threadIdx.x / 128 * 64 * DEPTH, weights);
    }

    DEVICE void end() { group_end(sums); }

    DEVICE void put(float* tile, int pitch) const {
        int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
        for (int j = 0; j < COLUMNS / 8; j++) {
            float* at = tile + row * pitch + 8 * j + lane % 4 * 2;
            at[0] = sums[j][0], at[1] = sums[j][1];
            at[8 * pitch] = sums[j][2], at[8 * pitch + 1] = sums[j][3];
        }
    }
};
#endif

// Sixteen by sixteen threads, each with 8 rows and COLUMNS / 16 columns, by fused multiply-adds in f32.
template <int COLUMNS> struct Plain {
    static constexpr int DOWN = ROWS / 16, ACROSS = COLUMNS / 16;
    float sums[DOWN][ACROSS];
    int row, column;

    DEVICE Plain() {
        row = threadIdx.x / 16, column = threadIdx.x % 16;
        for (int i = 0; i < DOWN; i++)
            for (int j = 0; j < ACROSS; j++) sums[i][j] = 0.f;
    }

    DEVICE void add(unsigned char* seen, unsigned char* weights) {
        for (int k = 0; k < 8; k++) {
            Quad right[ACROSS];
            for (int j = 0; j < ACROSS; j++)
                right[j] = *reinterpret_cast<const Quad*>(piece_of(weights, column + 16 * j, k));
            for (int i = 0; i < DOWN; i++) {
                Quad left = *reinterpret_cast<const Quad*>(piece_of(seen, row + 16 * i, k));
                for (int j = 0; j < ACROSS; j++)
                    for (int word = 0; word < 4; word++)
                        sums[i][j] = fmaf(__uint_as_float(left.word[word]), __uint_as_float(right[j].word[word]), sums[i][j]);
            }
        }
    }

    DEVICE void put(float* tile, int pitch) const {
        for (int i = 0; i < DOWN; i++)
            for (int j = 0; j < ACROSS; j++) tile[(row + 16 * i) * pitch + column + 16 * j] = sums[i][j];
    }
};

// `BESIDE`: the sums are made beside the threads, which copy meanwhile.
template <class E, int COLUMNS, class Sums, bool BESIDE = false> DEVICE void products(const Products& a) {
    SHARED(shared);
    constexpr int STAGE = (ROWS + COLUMNS) * DEPTH;
    int tiles = blocks_of(a.columns, COLUMNS);
    // Tiles of one run of rows follow one another: what they see is still near.
    int tile = blockIdx.x % tiles, first = blockIdx.x / tiles * ROWS;
    int right = a.first ? pointer<const int32_t>(a.first)[tile] : 0;
    const unsigned char* weights = pointer<const unsigned char>(a.weights) + size_t(tile) * a.steps * (COLUMNS * DEPTH);
    Seen<E> seen(a, first);
    Sums sums;

    auto fetch = [&](int step) {
        if (step < a.steps) {
            unsigned char* stage = shared + step % STAGES * STAGE;
            seen.copy(a, stage, step, right);
            const unsigned char* from = weights + size_t(step) * (COLUMNS * DEPTH);
            for (int at = threadIdx.x * 16; at < COLUMNS * DEPTH; at += THREADS * 16)
                copy16(stage + ROWS * DEPTH + at, from + at, true);
        }
        // Also where there is nothing: the count of groups is what is waited by.
        copies_end();
    };
    for (int step = 0; step < STAGES - 1; step++) fetch(step);
    for (int step = 0; step < a.steps; step++) {
        copies_wait<STAGES - 2>();
        if constexpr (BESIDE) publish();
        // Now everybody's copies of this step are there, and everybody is done with the stage that is filled next.
        __syncthreads();
        unsigned char *stage = shared + step % STAGES * STAGE, *columns = stage + ROWS * DEPTH;
        if constexpr (BESIDE) {
            sums.begin(stage, columns);
            fetch(step + STAGES - 1);
            sums.end();
        } else {
            fetch(step + STAGES - 1);
            sums.add(stage, columns);
        }
    }
    copies_wait<0>();
    __syncthreads();

    // Through shared memory, so that a thread stores eight neighbours. Eight more numbers a row: rows begin in other banks.
    constexpr int PITCH = COLUMNS + 8, ACROSS = COLUMNS / 8;
    float* results = reinterpret_cast<float*>(shared);
    sums.put(results, PITCH);
    __syncthreads();
    int column = threadIdx.x % ACROSS * 8, out_column = tile * COLUMNS + column;
    if (out_column >= a.columns) return;
    float bias[8];
    load8<F32>(bias, a.bias, out_column);
    for (int row = threadIdx.x / ACROSS; row < least(ROWS, a.rows - first); row += THREADS / ACROSS) {
        float x[8];
        size_t at = size_t(first + row) * a.out_stride + out_column;
        for (int i = 0; i < 8; i++) x[i] = results[row * PITCH + column + i] + bias[i];
        if (a.residual) {
            float other[8];
            load8<E>(other, a.residual, at);
            round_off<E>(x);
            for (int i = 0; i < 8; i++) x[i] += other[i];
        }
        if (a.function.activation) {
            round_off<E>(x);
            activate_each<E>(a.function, x);
        }
        store8<E>(x, a.out, at, a.out_f32);
    }
}

}  // namespace

#define PRODUCTS(name, E, M, COLUMNS) \
    KERNEL(products_##name##_##COLUMNS, Products, THREADS, 2) { products<E, COLUMNS, M>(a); }
#define TENSOR(name, E, M) \
    PRODUCTS(name, E, Tensor<M COMMA 128>, 128) \
    PRODUCTS(name, E, Tensor<M COMMA 64>, 64) \
    PRODUCTS(name, E, Tensor<M COMMA 32>, 32)
#define COMMA ,
TENSOR(b16, B16, B16)
TENSOR(f16, F16, F16)
TENSOR(t32, F32, T32)
PRODUCTS(f32, F32, Plain<128>, 128)
PRODUCTS(f32, F32, Plain<64>, 64)
PRODUCTS(f32, F32, Plain<32>, 32)

// For compute capability 9.0 alone. Where a card of it runs a program that was built without code for it, they are made of
// what there is.
#ifdef WARPGROUPS
#define GROUP(name, E, COLUMNS) \
    KERNEL(products_##name##_##COLUMNS##g, Products, THREADS, 2) { products<E, COLUMNS, Group<E COMMA COLUMNS>, true>(a); }
#else
#define GROUP(name, E, COLUMNS) \
    KERNEL(products_##name##_##COLUMNS##g, Products, THREADS, 2) { products<E, COLUMNS, Tensor<E COMMA COLUMNS>>(a); }
#endif
GROUP(b16, B16, 128)
GROUP(b16, B16, 64)
GROUP(f16, F16, 128)
GROUP(f16, F16, 64)
