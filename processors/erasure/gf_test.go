package erasure

// A decoder over GF(2^8) with the polynomial 0x11D that shares nothing with the library: slow, small, for judging.

func gfMultiply(a, b byte) byte {
	var product byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		high := a & 0x80
		if a <<= 1; high != 0 {
			a ^= 0x1d
		}
	}
	return product
}

func gfInverse(a byte) byte {
	for b := 1; b < 256; b++ {
		if gfMultiply(a, byte(b)) == 1 {
			return byte(b)
		}
	}
	return 0
}

// generator gives the rows of the code: identity, then 1/(r xor j) for parity row r from k on.
func generator(k, m int) [][]byte {
	rows := make([][]byte, k+m)
	for r := range rows {
		rows[r] = make([]byte, k)
		for j := range k {
			switch {
			case r >= k:
				rows[r][j] = gfInverse(byte(r ^ j))
			case r == j:
				rows[r][j] = 1
			}
		}
	}
	return rows
}

// gfEncode gives row r of the code over columns of equal length; short columns count as filled with zeros.
func gfEncode(row []byte, data [][]byte, length int) []byte {
	out := make([]byte, length)
	for j, column := range data {
		for i, b := range column {
			out[i] ^= gfMultiply(row[j], b)
		}
	}
	return out
}

// gfDecode gives the k data columns from any k columns of the code, by Gauss and Jordan.
func gfDecode(k int, rows [][]byte, columns [][]byte) [][]byte {
	a, b := make([][]byte, k), make([][]byte, k)
	for i := range k {
		a[i], b[i] = append([]byte{}, rows[i]...), append([]byte{}, columns[i]...)
	}
	for c := range k {
		pivot := c
		for a[pivot][c] == 0 {
			pivot++
		}
		a[c], a[pivot], b[c], b[pivot] = a[pivot], a[c], b[pivot], b[c]
		gfScale(a[c], b[c], gfInverse(a[c][c]))
		for r := range k {
			if r != c && a[r][c] != 0 {
				f := a[r][c]
				gfAdd(a[r], a[c], f)
				gfAdd(b[r], b[c], f)
			}
		}
	}
	return b
}

func gfScale(a, b []byte, f byte) {
	for i := range a {
		a[i] = gfMultiply(a[i], f)
	}
	for i := range b {
		b[i] = gfMultiply(b[i], f)
	}
}

func gfAdd(dst, src []byte, f byte) {
	for i := range src {
		dst[i] ^= gfMultiply(src[i], f)
	}
}
