package lawtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// Clone copies a value through pointers, slices, maps and unexported fields. Functions and channels are shared.
func Clone[T any](v T) T {
	var dst T
	clone(reflect.ValueOf(&dst).Elem(), reflect.ValueOf(&v).Elem())
	return dst
}

// open gives access to an addressable value, also to an unexported field.
func open(v reflect.Value) reflect.Value {
	if v.CanSet() || !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

func clone(dst, src reflect.Value) {
	dst, src = open(dst), open(src)
	dst.Set(src)
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			clone(dst.Elem(), src.Elem())
		}
	case reflect.Interface:
		if !src.IsNil() {
			dst.Set(cloned(src.Elem()))
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			cloneEach(dst, src)
		}
	case reflect.Array:
		cloneEach(dst, src)
	case reflect.Struct:
		for i := range src.NumField() {
			clone(dst.Field(i), src.Field(i))
		}
	case reflect.Map:
		if !src.IsNil() {
			dst.Set(reflect.MakeMap(src.Type()))
			for it := src.MapRange(); it.Next(); {
				dst.SetMapIndex(it.Key(), cloned(it.Value()))
			}
		}
	}
}

func cloneEach(dst, src reflect.Value) {
	if src.Type().Elem().Kind() == reflect.Uint8 {
		reflect.Copy(dst, src)
		return
	}
	for i := range src.Len() {
		clone(dst.Index(i), src.Index(i))
	}
}

// cloned copies a value that has no address.
func cloned(src reflect.Value) reflect.Value {
	from, to := reflect.New(src.Type()).Elem(), reflect.New(src.Type()).Elem()
	from.Set(src)
	clone(to, from)
	return to
}

// Scribble changes every byte slice that can be reached from v without a map.
func Scribble[T any](v *T) { scribble(reflect.ValueOf(v).Elem()) }

func scribble(v reflect.Value) {
	v = open(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			scribble(settled(v.Elem()))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if e := v.Index(i); e.Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
				e.SetUint(e.Uint() ^ 0xa5)
			} else {
				scribble(e)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			scribble(v.Field(i))
		}
	}
}

// Dump writes a value's content: through pointers and unexported fields, maps in order, nil and empty alike.
func Dump(v any) string {
	var b strings.Builder
	if v != nil {
		holder := reflect.New(reflect.TypeOf(v)).Elem()
		holder.Set(reflect.ValueOf(v))
		dump(&b, holder)
	}
	return b.String()
}

func dump(b *strings.Builder, v reflect.Value) {
	v = open(v)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dump(b, v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dump(b, settled(v.Elem()))
	case reflect.Slice, reflect.Array:
		dumpList(b, v)
	case reflect.Struct:
		fmt.Fprintf(b, "%s{", v.Type().Name())
		for i := range v.NumField() {
			fmt.Fprintf(b, "%s:", v.Type().Field(i).Name)
			dump(b, v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	case reflect.Map:
		b.WriteString(dumpMap(v))
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprintf(b, "%s(%t)", v.Kind(), !v.IsNil())
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Float32, reflect.Float64:
		fmt.Fprint(b, v.Float())
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

func dumpList(b *strings.Builder, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		for i := range v.Len() {
			fmt.Fprintf(b, "%02x", v.Index(i).Uint())
		}
		return
	}
	b.WriteByte('[')
	for i := range v.Len() {
		dump(b, v.Index(i))
		b.WriteByte(' ')
	}
	b.WriteByte(']')
}

func dumpMap(v reflect.Value) string {
	var pairs []string
	for it := v.MapRange(); it.Next(); {
		var b strings.Builder
		dump(&b, settled(it.Key()))
		b.WriteByte(':')
		dump(&b, settled(it.Value()))
		pairs = append(pairs, b.String())
	}
	slices.Sort(pairs)
	return "map" + fmt.Sprint(pairs)
}

// settled gives a value an address, so that its unexported fields can be read.
func settled(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}
