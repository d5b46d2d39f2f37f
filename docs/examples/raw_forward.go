// go run raw_forward.go FOLDER     after refconv export SUITE --format raw --out FOLDER
// float32, forward; the standard library alone.
package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func floats(path string) []float32 {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	values := make([]float32, len(bytes)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
	}
	return values
}

func convolve(n map[string]int, x, weight, bias []float32) []float32 {
	C, K, H, W := n["C"]/n["G"], n["K"], n["H"], n["W"]
	y := []float32{}
	for batch := 0; batch < n["N"]; batch++ {
		for k := 0; k < K; k++ {
			for oh := 0; oh < n["oH"]; oh++ {
				for ow := 0; ow < n["oW"]; ow++ {
					sum := 0.0
					if bias != nil {
						sum = float64(bias[k])
					}
					for c := 0; c < C; c++ {
						for kh := 0; kh < n["kH"]; kh++ {
							for kw := 0; kw < n["kW"]; kw++ {
								ih, iw := oh*n["sH"]-n["top"]+kh*n["dH"], ow*n["sW"]-n["left"]+kw*n["dW"]
								if ih < 0 || ih >= H || iw < 0 || iw >= W {
									continue
								}
								channel := batch*n["C"] + k/(K/n["G"])*C + c
								sum += float64(x[(channel*H+ih)*W+iw]) * float64(weight[((k*C+c)*n["kH"]+kh)*n["kW"]+kw])
							}
						}
					}
					y = append(y, float32(sum))
				}
			}
		}
	}
	return y
}

func right(got, exact, lo, hi []float32) bool {
	for i, value := range exact {
		same := got[i] == value || (got[i] != got[i] && value != value)
		if !same && (lo == nil || !(lo[i] <= got[i] && got[i] <= hi[i])) {
			return false
		}
	}
	return len(got) == len(exact)
}

func main() {
	folder, passed, failed := os.Args[1], 0, 0
	table, err := os.ReadFile(filepath.Join(folder, "index.tsv"))
	if err != nil {
		panic(err)
	}
	lines := strings.Split(strings.TrimSpace(string(table)), "\n")
	head := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		row, numbers := map[string]string{}, map[string]int{}
		for i, cell := range strings.Split(line, "\t") {
			row[head[i]] = cell
			numbers[head[i]], _ = strconv.Atoi(cell)
		}
		tensor := func(name string) []float32 { return floats(filepath.Join(folder, row[name])) }
		golden := func(part string) []float32 { return floats(filepath.Join(folder, row["case"]+".forward."+part+".bin")) }
		exact := golden("expected") // nil for a choice, which has one file for each policy
		if row["operation"] != "forward" || row["x_dtype"] != "float32" || exact == nil {
			continue
		}
		if right(convolve(numbers, tensor("x"), tensor("weight"), tensor("bias")), exact, golden("lo"), golden("hi")) {
			passed++
		} else {
			failed++
			fmt.Println("FAIL", row["case"])
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
